import { type Processor, type Step, multicasts } from "../domain/effect.ts";
import { flow } from "../domain/flow.ts";
import { ANEW } from "../domain/inbox-rows.ts";
import { type SettingsBook, settingsTable } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { type Candidate, type InboxEvent, readInboxEvent } from "./event.ts";
import { forget } from "./forget.ts";
import { attend, keep, mention, miss, read, readOn, reasonNotMissed, tell } from "./missed.ts";
import { lookupsFor, type Notice, noticeOf } from "./notification.ts";
import { inboxParts } from "./saved-parts.ts";
import { mustRecheckAll, nextCheck, onRead, onTold, updateHolds, sooner } from "./holds.ts";
import { lapse, noteAttended, onMoment, reconsiderFrom } from "./presence.ts";
import { onDeleted, onProfile, isUserUndeletedSince } from "./profile.ts";
import { attends } from "./sessions.ts";
import { compose } from "./snapshot.ts";
import { type Inbox, newInbox, type Thread } from "./state.ts";
import {
  markStanding,
  noteDropped,
  emit,
  note,
  settingsOf,
  stepOf,
  threadOf,
  markThread,
  type Draft,
  newDraft,
} from "./draft.ts";
import { holdOf } from "./when.ts";

type Of<T extends InboxEvent["type"]> = Extract<InboxEvent, { type: T }>;

/**
 * The rule (services/inboxes/README.md) for one user's inbox: whether to notify the user, about which messages, and
 * when.
 */
export const inboxes: Processor<Inbox, InboxEvent, SettingsBook> = {
  name: "inboxes",
  inputs: ["users", "presence", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  order: "log time",
  upstream: [flow.conversationStrays, flow.inbox, flow.inboxStrays],
  multicasts,
  globalTable: settingsTable,
  parts: inboxParts,
  read: readInboxEvent,
  rows: (event) => (event.type === "entry" ? event.keys : [event.key]),
  fold(event, known, book) {
    const inbox = known.get(event.key) ?? newInbox(event.key);
    return event.type === "due"
      ? onDue(newDraft(inbox, event.at, book))
      : onEvent(newDraft(inbox, event.loggedAt, book), event);
  },
  wake: (inbox, book) => sooner(sooner(inbox.lapsesAt, nextCheck(inbox, book)), inbox.forgetAt),
  lookups: (payload) => lookupsFor(payload as Notice),
  compose: (payload, found) => compose(payload as Notice, found),
};

const onEvent = (draft: Draft, event: InboxEvent): Step<Inbox> => {
  lapse(draft);
  switch (event.type) {
    case "entry":
      onEntry(draft, event);
      break;
    case "presence":
      onPresence(draft, event);
      break;
    case "profile":
      onRestored(draft, onProfile(draft, event.user, event.at));
      break;
    case "deleted":
      onDeleted(draft, event.at);
      break;
  }
  if (draft.isChanged && draft.inbox.asOf >= 0) updateHolds(draft, false);
  return stepOf(draft);
};

/**
 * Decides anew about messages since a deleted user came back.
 * @param since the time of the return; null: it is unchanged
 */
const onRestored = (draft: Draft, since: Millis | null): void => {
  if (since !== null && since < draft.now) reconsiderFrom(draft, since);
};

const onPresence = (draft: Draft, { presence, at, readUntil }: Of<"presence">): void => {
  const { type, sessionId, conversationId } = presence;
  switch (type) {
    case "ONLINE":
    case "HEARTBEAT":
      onMoment(draft, sessionId, { at, isSign: true, screen: conversationId });
      break;
    case "OFFLINE":
      onMoment(draft, sessionId, { at, isSign: false, screen: null });
      break;
    case "READ": {
      if (conversationId === null) break;
      const thread = threadOf(draft, conversationId);
      const gone = read(thread, readUntil);
      if (readOn(thread, at)) markThread(draft, thread);
      noteDropped(draft, thread, gone, { reason: "read", facts: { readUntil: String(readUntil) } });
      onRead(draft, at);
      break;
    }
    case "MARKED_UNREAD":
      break;
  }
};

const onEntry = (draft: Draft, event: Of<"entry">): void => {
  const { key, entry, mentioned, plain, mentioning } = event;
  const { conversationId, messageId } = entry;
  const isMentioned = mentioned?.has(key) ?? false;
  const candidate = isMentioned ? mentioning : plain;
  const thread = threadOf(draft, conversationId);
  switch (entry.type) {
    case "CANDIDATE":
      if (candidate === null) break;
      if (entry.reason === ANEW) retract(draft, thread, candidate);
      onCandidate(draft, thread, candidate);
      break;
    case "EDITED":
      if (messageId !== null && mention(thread, messageId, isMentioned)) markThread(draft, thread);
      break;
    default:
      noteDropped(draft, thread, removeBy(event, thread), { reason: entry.reason ?? REASONS[entry.type], facts: {} });
  }
};

/** Takes back all candidates of a message, before an `ANEW` entry puts one in their place. */
const retract = (draft: Draft, thread: Thread, { message: { messageId } }: Candidate): void => {
  if (keep(thread, (other) => other.messageId !== messageId) !== null) markThread(draft, thread);
};

const REASONS = { OWN: "read", WITHDRAWN: "deleted", CLOSED: "left", MENTIONS_ONLY: "not_mentioned" };

/**
 * Removes from a thread the messages that an entry takes away, missed or attended. Returns the ids no longer missed.
 */
const removeBy = ({ entry, at }: Of<"entry">, thread: Thread): ReturnType<typeof keep> => {
  const { type, messageId, sentAt } = entry;
  switch (type) {
    case "OWN": // a user who writes has read every message of an earlier time
      return read(thread, sentAt - 1);
    case "WITHDRAWN":
      return keep(thread, (message) => message.messageId !== messageId);
    case "CLOSED": // a candidate of the same time came after the closing
      return keep(thread, ({ since }) => since >= at);
    case "MENTIONS_ONLY":
      return keep(thread, ({ since, isMentioned }) => since >= at || isMentioned);
    default:
      return null;
  }
};

const onCandidate = (draft: Draft, thread: Thread, { message, verdict }: Candidate): void => {
  const { inbox, now } = draft;
  const { conversationId } = thread;
  const { messageId, since } = message;
  const reason = reasonNotMissed(thread, message);
  if (reason !== null) {
    note(draft, { ...verdict, verdict: "REJECTED", reason });
    return;
  }
  const unmissed = !isUserUndeletedSince(inbox.profile, since)
    ? "user_deleted"
    : attends(inbox, conversationId, since, now)
      ? "attending"
      : null;
  if (unmissed === null) {
    note(draft, verdict);
    if (miss(thread, message)) markThread(draft, thread);
    if (thread.attended.length === 0 || !thread.attended.some((other) => other.messageId === messageId)) return;
  } else {
    // The message is kept as attended for a while: a lapse or a late record may yet make it missed.
    const isMissed = thread.missed.some((other) => other.messageId === messageId);
    if (!isMissed) note(draft, { ...verdict, verdict: "REJECTED", reason: unmissed });
    if (attend(thread, message, now)) markThread(draft, thread);
  }
  noteAttended(draft, conversationId, since);
};

const onDue = (draft: Draft): Step<Inbox> => {
  const { inbox, now } = draft;
  lapse(draft);
  forget(inbox, now);
  if (inbox.open.size > 0) notifyDue(draft);
  markStanding(draft);
  updateHolds(draft, true);
  return stepOf(draft);
};

/**
 * Notifies about the threads that nothing holds any more, in order: about each alone, or about all open threads
 * together.
 */
const notifyDue = (draft: Draft): void => {
  const { inbox, now } = draft;
  const settings = settingsOf(draft);
  for (const thread of threadsToCheck(draft)) {
    if (holdOf(inbox, thread, settings, now) !== null) continue;
    if (settings.group === "recipient") {
      notify(draft, [...inbox.open]);
      return;
    }
    notify(draft, [thread]);
  }
};

/** Open threads whose hold may have ended, by their first missed message. */
const threadsToCheck = (draft: Draft): readonly Thread[] => {
  const { inbox, now } = draft;
  const isAll = mustRecheckAll(draft);
  const due: Thread[] = [];
  for (const thread of inbox.open) if (isAll || (thread.until !== null && thread.until <= now)) due.push(thread);
  return due.length > 1 ? due.toSorted(byFirstMissed) : due;
};

const byFirstMissed = (a: Thread, b: Thread): number =>
  (a.missed[0]?.since ?? 0) - (b.missed[0]?.since ?? 0) || (a.conversationId < b.conversationId ? -1 : 1);

/** Emits one notification about every missed message of the threads. */
const notify = (draft: Draft, threads: readonly Thread[]): void => {
  const { inbox, now } = draft;
  emit(draft, { type: "compose", payload: noticeOf(inbox, threads, now) });
  for (const thread of threads) {
    tell(thread, now);
    markThread(draft, thread);
  }
  onTold(draft);
};
