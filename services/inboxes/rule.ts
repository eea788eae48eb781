import { conversationKey, messageKey } from "../core/chat.ts";
import type { Compose, Effect } from "../core/effect.ts";
import { type ConversationId, notificationId, type UserId } from "../core/ids.ts";
import { type Due, nothing, type Processor, type Step } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import { type InboxEvent, readInboxEvent } from "./event.ts";
import { attend, keep, mention, miss, read, tell } from "./missed.ts";
import { attendingSession, isOnline, lapse, nextLapse, sign, signOff } from "./presence.ts";
import { compose, MAX_SHOWN, type Notice } from "./snapshot.ts";
import { bounded, type Inbox, MAX_LISTED, mapThreads, newInbox, type Thread, threadOf, withThread } from "./state.ts";

/** What the rule goes by. */
export interface InboxSettings {
  /** Milliseconds that someone must be away, and a message missed, before they are told. */
  readonly timeout: Millis;
}

type Of<T extends InboxEvent["type"]> = Extract<InboxEvent, { type: T }>;

/** Who is told, about what, when: the rule of design/semantics.md over one user's inbox. */
export const inboxes = (settings: InboxSettings): Processor<Inbox, InboxEvent> => ({
  name: "inboxes",
  inputs: ["users", "presence", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  read: readInboxEvent,
  rows: ({ key }) => [key],
  fold(event, rows) {
    const known = rows.get(event.key);
    const before = known ?? newInbox(event.key);
    if (event.type === "due") return onDue(before, event, settings);
    const after = bounded(evolve(before, event));
    return after === before ? nothing : { writes: [[event.key, after]], effects: [] };
  },
  wake: (inbox) => wake(inbox, settings),
  compose: (payload, found) => compose(payload as Notice, found),
});

const evolve = (inbox: Inbox, event: Exclude<InboxEvent, Due>): Inbox => {
  switch (event.type) {
    case "entry":
      return onEntry(inbox, event);
    case "presence":
      return onPresence(inbox, event);
    case "profile":
      return { ...inbox, profile: event.user, isDeleted: false };
    case "deleted":
      return { ...clear(inbox), profile: null, isDeleted: true };
  }
};

const clear = (inbox: Inbox): Inbox => mapThreads(inbox, (thread) => keep(thread, () => false));

const onPresence = (inbox: Inbox, { presence, at, readUntil }: Of<"presence">): Inbox => {
  switch (presence.type) {
    case "ONLINE":
    case "HEARTBEAT":
      return sign(inbox, presence, at);
    case "OFFLINE":
      return signOff(inbox, presence, at);
    case "READ":
      return presence.conversationId === null
        ? inbox
        : change(inbox, presence.conversationId, (thread) => read(thread, readUntil));
    case "MARKED_UNREAD":
      return inbox;
  }
};

/** The inbox with one thread changed; the same inbox if the thread is. */
const change = (inbox: Inbox, conversation: ConversationId, by: (thread: Thread) => Thread): Inbox => {
  const before = threadOf(inbox, conversation);
  const after = by(before);
  return after === before ? inbox : withThread(inbox, conversation, after);
};

const onEntry = (inbox: Inbox, { entry, isMentioned, at }: Of<"entry">): Inbox => {
  const { type, conversationId, messageId, reason } = entry;
  switch (type) {
    case "CANDIDATE":
      return messageId === null ? inbox : onCandidate(inbox, { ...entry, messageId }, isMentioned, at);
    case "OWN":
      // Who writes has read what was there before: a later message is one of a greater time.
      return change(inbox, conversationId, (thread) => read(thread, entry.sentAt - 1));
    case "EDITED":
      return messageId === null
        ? inbox
        : change(inbox, conversationId, (thread) => onEdited(thread, messageId, isMentioned));
    case "WITHDRAWN":
      return change(inbox, conversationId, (thread) => keep(thread, (message) => message.messageId !== messageId));
    case "CLOSED":
      return reason === null ? inbox : change(inbox, conversationId, (thread) => keep(thread, () => false));
    case "MENTIONS_ONLY":
      return change(inbox, conversationId, (thread) => keep(thread, (message) => message.isMentioned));
  }
};

const onEdited = (thread: Thread, messageId: string, isMentioned: boolean): Thread => {
  const isOpen = [...thread.missed, ...thread.attended].some(
    (message) => message.messageId === messageId && message.isMentioned !== isMentioned,
  );
  return isOpen ? mention(thread, messageId, isMentioned) : thread;
};

const onCandidate = (
  inbox: Inbox,
  entry: Of<"entry">["entry"] & { readonly messageId: string },
  isMentioned: boolean,
  since: Millis,
): Inbox => {
  if (inbox.isDeleted) return inbox;
  const { conversationId, messageId, senderId, sentAt } = entry;
  const message = { messageId, senderId, sentAt, since, isMentioned };
  const sessionId = attendingSession(inbox, conversationId);
  return change(inbox, conversationId, (thread) => {
    if (sessionId === null) return miss(thread, message);
    return sentAt <= thread.readUntil ? thread : attend(thread, { ...message, sessionId });
  });
};

/** The first moment at which something changes by time alone: a session lapses, or a notification is due. */
const wake = (inbox: Inbox, settings: InboxSettings): Millis | null => {
  if (isOnline(inbox)) return nextLapse(inbox);
  let first: Millis | null = null;
  for (const thread of Object.values(inbox.conversations)) {
    const due = dueAt(inbox, thread, settings);
    if (due !== null && (first === null || due < first)) first = due;
  }
  return first;
};

/** Away and due (semantics, "When"): the timeout after the first missed message and after the user left. */
const dueAt = (inbox: Inbox, thread: Thread, { timeout }: InboxSettings): Millis | null => {
  const [first] = thread.missed;
  return first === undefined ? null : Math.max(first.since, inbox.awaySince ?? -Infinity) + timeout;
};

const onDue = (before: Inbox, { at }: Due, settings: InboxSettings): Step<Inbox> => {
  const inbox = lapse(before, at);
  if (isOnline(inbox)) return { writes: [[inbox.userId, inbox]], effects: [] };
  const due = Object.entries(inbox.conversations).filter(([, thread]) => {
    const time = dueAt(inbox, thread, settings);
    return time !== null && time <= at;
  });
  const after = due.reduce((current, [id, thread]) => withThread(current, id, tell(thread)), inbox);
  return { writes: [[inbox.userId, after]], effects: due.map(([id, thread]) => notice(inbox, id, thread, at)) };
};

/** The notification about one conversation, with all that its snapshot is made from. */
const notice = (inbox: Inbox, conversationId: ConversationId, thread: Thread, at: Millis): Effect => {
  const { userId } = inbox;
  const first = thread.missed[0];
  const listed = thread.missed.slice(-MAX_LISTED);
  const shown = listed.slice(-MAX_SHOWN);
  const payload: Notice = {
    notificationId: notificationId(userId, conversationId, first?.messageId ?? "", first?.since ?? at),
    userId,
    profile: inbox.profile,
    conversationId,
    shown,
    at,
    messageIds: listed.map(({ messageId }) => messageId),
    omitted: thread.count - shown.length,
  };
  return { type: "compose", lookups: lookupsFor(payload), payload };
};

const lookupsFor = ({ conversationId, shown }: Notice): Compose["lookups"] => [
  chatRow(conversationId, conversationKey(conversationId)),
  ...shown.map(({ messageId }) => chatRow(conversationId, messageKey(conversationId, messageId))),
  ...[...new Set(shown.map(({ senderId }) => senderId))].flatMap((sender) =>
    sender === null ? [] : [inboxOf(sender)],
  ),
];

const chatRow = (id: ConversationId, key: string) =>
  ({ processor: "conversations", home: "conversationStrays", id, key }) as const;

const inboxOf = (user: UserId) => ({ processor: "inboxes", home: "inbox", id: user, key: user }) as const;
