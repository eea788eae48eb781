import { conversationKey, messageKey } from "../core/chat.ts";
import type { Compose, Effect, Lookup } from "../core/effect.ts";
import { profileKey } from "../core/inbox.ts";
import { type ConversationId, type MessageId, notificationId, type UserId } from "../core/ids.ts";
import type { Due, Processor, Rows, Step } from "../core/processor.ts";
import { DAY, type Millis } from "../core/time.ts";
import { draft, type Draft } from "./draft.ts";
import { type InboxEvent, readInboxEvent } from "./event.ts";
import { attend, keep, mention, miss, missedBy, read, tell } from "./missed.ts";
import { attendingSessions, lapse, nextLapse, noteAttended, sign, signOff } from "./presence.ts";
import { compose, MAX_SHOWN, type Notice } from "./snapshot.ts";
import {
  type InboxRow,
  MAX_LISTED,
  pendingKey,
  type PendingRow,
  presenceKey,
  type ThreadRow,
  threadKey,
} from "./state.ts";

/** What the rule goes by. */
export interface InboxSettings {
  /** Milliseconds that someone must be away, and a message missed, before they are told. */
  readonly timeout: Millis;
}

/** A thread in which nothing is missed is forgotten so long after the last word of it. */
export const THREAD_RETENTION: Millis = 30 * DAY;

type Of<T extends InboxEvent["type"]> = Extract<InboxEvent, { type: T }>;

/** Who is told, about what, when: the rule of design/semantics.md over one user's inbox. */
export const inboxes = (settings: InboxSettings): Processor<InboxRow, InboxEvent> => ({
  name: "inboxes",
  inputs: ["users", "presence", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  upstream: [
    { processor: "conversations", from: ["messages", "participants", "conversations"], to: "conversationStrays" },
    { processor: "conversations", from: ["conversationStrays"], to: "inbox" },
    { processor: "inboxes", from: ["presence", "users"], to: "inboxStrays" },
  ],
  read: readInboxEvent,
  rows,
  fold: (event, known) => (event.type === "due" ? onDue(event, known, settings) : onEvent(event, known)),
  wake: (row) => wake(row, settings),
  compose: (payload, found) => compose(payload as Notice, found),
});

const rows = (event: InboxEvent): readonly string[] => {
  const { key } = event;
  switch (event.type) {
    case "entry":
      return [profileKey(key), presenceKey(key), pendingKey(key), threadKey(key, event.entry.conversationId)];
    case "presence": {
      const { conversationId, type } = event.presence;
      return type === "READ" && conversationId !== null
        ? [presenceKey(key), pendingKey(key), threadKey(key, conversationId)]
        : [presenceKey(key), pendingKey(key)];
    }
    case "profile":
      return [profileKey(key)];
    case "deleted":
      return [profileKey(key), presenceKey(key), pendingKey(key)];
  }
};

const onEvent = (event: InboxEvent, known: Rows<InboxRow>): Step<InboxRow> => {
  const user = draft(known, event.key);
  switch (event.type) {
    case "entry":
      onEntry(user, event);
      break;
    case "presence":
      onPresence(user, event);
      break;
    case "profile":
      user.setProfile({ type: "profile", user: event.user });
      break;
    case "deleted":
      onDeleted(user, event.at);
      break;
  }
  return user.step();
};

const nothingKept = (): boolean => false;

const onDeleted = (user: Draft, at: Millis): void => {
  user.setProfile({ type: "profile", user: null });
  const attended = Object.values(user.presence().sessions).flatMap((session) => session.attended);
  const open = [...Object.keys(user.pending().firsts), ...attended];
  user.expectThreads(open);
  for (const conversation of open) user.changeThread(conversation, at, (thread) => keep(thread, nothingKept));
};

const onPresence = (user: Draft, { presence, at, readUntil }: Of<"presence">): void => {
  switch (presence.type) {
    case "ONLINE":
    case "HEARTBEAT":
      sign(user, presence, at);
      break;
    case "OFFLINE":
      signOff(user, presence, at);
      break;
    case "READ":
      if (presence.conversationId !== null)
        user.changeThread(presence.conversationId, at, (thread) => read(thread, readUntil));
      break;
    case "MARKED_UNREAD":
      break;
  }
};

const onEntry = (user: Draft, event: Of<"entry">): void => {
  const { entry, isMentioned, at } = event;
  const { conversationId, messageId } = entry;
  const change = (by: (thread: ThreadRow) => ThreadRow): void => user.changeThread(conversationId, at, by);
  switch (entry.type) {
    case "CANDIDATE":
      if (messageId !== null) onCandidate(user, event, messageId);
      break;
    case "OWN":
      // Who writes has read what was there before: a later message is one of a greater time.
      change((thread) => read(thread, entry.sentAt - 1));
      break;
    case "EDITED":
      if (messageId !== null) change((thread) => mention(thread, messageId, isMentioned));
      break;
    case "WITHDRAWN":
      change((thread) => keep(thread, (message) => message.messageId !== messageId));
      break;
    case "CLOSED":
      change((thread) => keep(thread, nothingKept));
      break;
    case "MENTIONS_ONLY":
      change((thread) => keep(thread, (message) => message.isMentioned));
      break;
  }
};

const onCandidate = (user: Draft, { entry, isMentioned, at }: Of<"entry">, messageId: MessageId): void => {
  if (user.profile()?.user === null) return; // deleted; never having had a profile is fine
  const { conversationId, senderId, sentAt } = entry;
  const message = { messageId, senderId, sentAt, since: at, isMentioned };
  const sessionIds = attendingSessions(user.presence(), conversationId);
  if (sessionIds.length === 0) {
    user.changeThread(conversationId, at, (thread) => miss(thread, message));
  } else {
    user.changeThread(conversationId, at, (thread) => attend(thread, { ...message, sessionIds }));
    for (const sessionId of sessionIds) noteAttended(user, sessionId, conversationId);
  }
};

/** The first moment at which something of the row changes by time alone. */
const wake = (row: InboxRow, settings: InboxSettings): Millis | null => {
  switch (row.type) {
    case "profile":
      return null;
    case "presence":
      return nextLapse(row);
    case "pending":
      return row.isOnline || row.earliest === null ? null : dueAt(row, row.earliest, settings);
    case "thread":
      return row.missed.length + row.attended.length > 0 ? null : row.touchedAt + THREAD_RETENTION;
  }
};

/** Away and due (semantics, "When"): the timeout after the first missed message and after the user left. */
const dueAt = ({ awaySince }: PendingRow, first: Millis, { timeout }: InboxSettings): Millis =>
  Math.max(first, awaySince ?? first) + timeout;

const onDue = ({ key, at }: Due, known: Rows<InboxRow>, settings: InboxSettings): Step<InboxRow> => {
  const row = known.get(key);
  switch (row?.type) {
    case "presence": {
      const user = draft(known, userOf(key));
      lapse(user, at);
      return user.step();
    }
    case "pending":
      return notify(draft(known, row.userId), at, settings);
    case "thread":
    case "profile":
    case undefined:
      return { writes: [[key, null]], effects: [] };
  }
};

/** The user of a row key (core/inbox.ts: kind, length, user, what it is about). */
const userOf = (key: string): UserId => {
  const [, length = "0"] = key.split("\u001f", 2);
  const start = 2 + length.length + 1;
  return key.slice(start, start + Number(length));
};

const notify = (user: Draft, at: Millis, settings: InboxSettings): Step<InboxRow> => {
  const pending = user.pending();
  const due = Object.entries(pending.firsts).filter(([, first]) => dueAt(pending, first, settings) <= at);
  user.expectThreads(due.map(([conversation]) => conversation));
  const effects = due.map(([conversation]) => notice(user, conversation, at));
  for (const [conversation] of due) user.changeThread(conversation, at, (thread) => tell(thread, at));
  return user.step(effects);
};

/** The notification about one conversation, with all that its snapshot is made from. */
const notice = (user: Draft, conversationId: ConversationId, at: Millis): Effect => {
  const { userId } = user;
  const thread = user.thread(conversationId);
  const missed = missedBy(thread, at);
  const first = missed[0];
  const listed = missed.slice(-MAX_LISTED);
  const shown = listed.slice(-MAX_SHOWN);
  const payload: Notice = {
    notificationId: notificationId(userId, conversationId, first?.messageId ?? "", first?.since ?? at),
    userId,
    profile: user.profile()?.user ?? null,
    conversationId,
    shown,
    at,
    messageIds: listed.map(({ messageId }) => messageId),
    omitted: thread.count - (thread.missed.length - missed.length) - shown.length,
  };
  return { type: "compose", lookups: lookupsFor(payload), payload };
};

const lookupsFor = ({ conversationId, shown }: Notice): Compose["lookups"] => [
  chatRow(conversationId, conversationKey(conversationId)),
  ...shown.map(({ messageId }) => chatRow(conversationId, messageKey(conversationId, messageId))),
  ...[...new Set(shown.map(({ senderId }) => senderId))].flatMap((sender) =>
    sender === null ? [] : [profileOf(sender)],
  ),
];

const chatRow = (id: ConversationId, key: string): Lookup => ({
  processor: "conversations",
  home: "conversationStrays",
  id,
  key,
});

/** Where a person's profile is looked up. */
const profileOf = (user: UserId): Lookup => ({ processor: "inboxes", home: "inbox", id: user, key: profileKey(user) });
