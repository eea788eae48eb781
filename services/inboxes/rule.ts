import { flow } from "../core/flow.ts";
import { ANEW, profileKey, userOfRow } from "../core/inbox.ts";
import type { ConversationId, UserId } from "../core/ids.ts";
import type { Due, Processor, Rows, Step } from "../core/processor.ts";
import type { InboxEntry } from "../core/records.ts";
import { type SettingsBook, settingsLore } from "../core/settings.ts";
import { DAY, type Millis } from "../core/time.ts";
import { Draft } from "./draft.ts";
import { type InboxEvent, readInboxEvent } from "./event.ts";
import { attend, gone, keep, mention, miss, read, readOn, tell } from "./missed.ts";
import { lookupsFor, type Notice, noticeOf } from "./notice.ts";
import { nextLook, withRead, withTold } from "./pending.ts";
import { onDeleted, onProfile, wasThere } from "./profile.ts";
import { lapse, noteAttended, onMoment, reconsiderFrom } from "./presence.ts";
import { attends } from "./sessions.ts";
import { compose } from "./snapshot.ts";
import { type InboxRow, type Missed, threadKey, type ThreadRow, userKey } from "./state.ts";
import { holdOf } from "./when.ts";

/** A thread in which nothing is missed is forgotten so long after the last word of it, if it counts for no cooldown. */
export const THREAD_RETENTION: Millis = 30 * DAY;

type Of<T extends InboxEvent["type"]> = Extract<InboxEvent, { type: T }>;

/** The rows of one user, and the thread of a conversation. */
const rows = ({ key }: { readonly key: UserId }, ...conversations: readonly ConversationId[]): readonly string[] => [
  profileKey(key),
  userKey(key),
  ...conversations.map((conversation) => threadKey(key, conversation)),
];

/** Who is told, about what, when: the rule of design/semantics.md over one user's inbox. */
export const inboxes: Processor<InboxRow, InboxEvent, SettingsBook> = {
  name: "inboxes",
  inputs: ["users", "presence", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  upstream: [flow.conversationStrays, flow.inbox, flow.inboxStrays],
  lore: settingsLore,
  read: readInboxEvent,
  rows(event) {
    if (event.type === "entry") return rows(event, event.entry.conversationId);
    const conversation = event.type === "presence" ? event.presence.conversationId : null;
    return conversation === null ? rows(event) : rows(event, conversation);
  },
  fold: (event, known, book) => (event.type === "due" ? onDue(event, known, book) : onEvent(event, known, book)),
  wake(row, book) {
    switch (row.type) {
      case "profile":
        return null;
      case "user":
        return sooner(row.lapsesAt, nextLook(row, book));
      case "thread":
        return row.missed.length > 0 ? null : row.touchedAt + retentionOf(row);
    }
  },
  lookups: (payload) => lookupsFor(payload as Notice),
  compose: (payload, found) => compose(payload as Notice, found),
};

/** Who may still count it for a cooldown is looked at again the more seldom, the longer ago that was. */
const retentionOf = ({ touchedAt, toldAt, readAt }: ThreadRow): Millis => {
  const told = toldAt.at(-1) ?? -Infinity;
  return told >= (readAt ?? 0) ? Math.max(THREAD_RETENTION, touchedAt - told) : THREAD_RETENTION;
};

const sooner = (a: Millis | null, b: Millis | null): Millis | null => (a === null || (b !== null && b < a) ? b : a);

const onEvent = (event: InboxEvent, known: Rows<InboxRow>, book: SettingsBook): Step<InboxRow> => {
  const user = new Draft(known, event.key, event.seen, book);
  lapse(user);
  switch (event.type) {
    case "entry":
      onEntry(user, event);
      break;
    case "presence":
      onPresence(user, event);
      break;
    case "profile":
      onBack(user, onProfile(user, event.user, event.at));
      break;
    case "deleted":
      onDeleted(user, event.at);
      break;
  }
  return user.step();
};

/** Since then a deleted user is there again: what came meanwhile may be missed after all. */
const onBack = (user: Draft, since: Millis | null): void => {
  if (since !== null && since < user.now) reconsiderFrom(user, since);
};

const onPresence = (user: Draft, { presence, at, readUntil }: Of<"presence">): void => {
  const { type, sessionId, conversationId } = presence;
  switch (type) {
    case "ONLINE":
    case "HEARTBEAT":
      onMoment(user, sessionId, { at, isSign: true, screen: conversationId });
      break;
    case "OFFLINE":
      onMoment(user, sessionId, { at, isSign: false, screen: null });
      break;
    case "READ":
      if (conversationId === null) break;
      user.changeThread(conversationId, (thread) => readOn(read(thread, readUntil), at), {
        reason: "read",
        facts: { readUntil: String(readUntil) },
      });
      user.row = withRead(user.row, at);
      break;
    case "MARKED_UNREAD":
      break;
  }
};

const onEntry = (user: Draft, event: Of<"entry">): void => {
  const { entry, isMentioned, at } = event;
  const { conversationId, messageId } = entry;
  const drop = (reason: string, by: Parameters<Draft["changeThread"]>[1]): void =>
    user.changeThread(conversationId, by, { reason, facts: {} });
  switch (entry.type) {
    case "CANDIDATE":
      if (event.message !== null) onCandidate(user, entry, event.message);
      break;
    case "OWN":
      // Who writes has read what was there before: a later message is one of a greater time.
      drop("read", (thread) => read(thread, entry.sentAt - 1));
      break;
    case "EDITED":
      if (messageId !== null) user.changeThread(conversationId, (thread) => mention(thread, messageId, isMentioned));
      break;
    case "WITHDRAWN":
      drop(entry.reason ?? "deleted", (thread) => keep(thread, (message) => message.messageId !== messageId));
      break;
    case "CLOSED":
      // What became a candidate at that very moment did so after it.
      drop(entry.reason ?? "left", (thread) => keep(thread, ({ since }) => since >= at));
      break;
    case "MENTIONS_ONLY":
      drop("not_mentioned", (thread) => keep(thread, (message) => message.since >= at || message.isMentioned));
      break;
  }
};

const onCandidate = (user: Draft, entry: InboxEntry, message: Missed): void => {
  const { conversationId } = entry;
  const { messageId, since } = message;
  if (entry.reason === ANEW)
    user.changeThread(conversationId, (thread) => keep(thread, (one) => one.messageId !== messageId));
  const verdict = { conversationId, messageIds: [messageId], facts: { since: String(since) } };
  const isAttended = attends(user.row, conversationId, since, user.now);
  const aside = !wasThere(user.row, since) ? "user_deleted" : isAttended ? "attending" : null;
  const reason = gone(user.thread(conversationId), message);
  if (reason !== null) {
    user.note({ verdict: "REJECTED", reason, ...verdict });
  } else if (aside !== null) {
    // Kept aside for a while: a lapse, or a record that is late, may tell otherwise. What is missed already stays so.
    const isMissed = user.thread(conversationId).missed.some((one) => one.messageId === messageId);
    if (!isMissed) user.note({ verdict: "REJECTED", reason: aside, ...verdict });
    user.changeThread(conversationId, (thread) => attend(thread, message, user.now));
    noteAttended(user, conversationId, since);
  } else {
    user.note({ verdict: "CANDIDATE", ...verdict });
    user.changeThread(conversationId, (thread) => miss(thread, message));
    const isAside = user.thread(conversationId).attended.some((one) => one.messageId === messageId);
    if (isAside) noteAttended(user, conversationId, since);
  }
};

const onDue = ({ key, at }: Due, known: Rows<InboxRow>, book: SettingsBook): Step<InboxRow> => {
  const row = known.get(key);
  if (row?.type === "thread" && isCoolingDown(row, known.get(userKey(userOfRow(key)))))
    return { writes: [[key, { ...row, touchedAt: at }]], effects: [] };
  if (row?.type !== "user") return { writes: [[key, null]], effects: [] };
  const user = new Draft(known, row.userId, at, book);
  lapse(user);
  tellWhatIsDue(user);
  return user.step(true);
};

/** Whether the next notification about it waits the longer for those before: the user has not been back since. */
const isCoolingDown = ({ toldAt, readAt }: ThreadRow, user: InboxRow | undefined): boolean => {
  const signAt = user?.type === "user" ? user.signAt : null;
  return toldAt.some((told) => told >= (signAt ?? -Infinity) && told >= (readAt ?? -Infinity));
};

/** Tells of what nothing holds any more. */
const tellWhatIsDue = (user: Draft): void => {
  const settings = user.settings();
  const { row } = user;
  const inOrder = row.open.toSorted((a, b) => a.first - b.first || (a.conversationId < b.conversationId ? -1 : 1));
  for (const open of inOrder) {
    if (holdOf(user.row, open, settings, user.now) !== null) continue;
    if (settings.group === "recipient") {
      notify(
        user,
        row.open.map(({ conversationId }) => conversationId),
      );
      return;
    }
    notify(user, [open.conversationId]);
  }
};

/** One notification about all that is missed in the conversations. */
const notify = (user: Draft, conversations: readonly ConversationId[]): void => {
  user.expect(conversations);
  const notice = noticeOf(user, conversations);
  const { notificationId, messageIds, conversationId } = notice;
  user.note({ verdict: "TRIGGERED", notificationId, messageIds, conversationId });
  user.effect({ type: "compose", payload: notice });
  for (const conversation of conversations) user.changeThread(conversation, (thread) => tell(thread, user.now));
  user.row = withTold(user.row, user.now);
};
