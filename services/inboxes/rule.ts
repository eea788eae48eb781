import { type Processor, type Step, multicasts } from "../domain/effect.ts";
import { flow } from "../domain/flow.ts";
import { ANEW } from "../domain/inbox-rows.ts";
import { type SettingsBook, settingsTable } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { type Candidate, type InboxEvent, readInboxEvent } from "./event.ts";
import { forget } from "./forget.ts";
import { attend, gone, keep, mention, miss, read, readOn, tell } from "./missed.ts";
import { lookupsFor, type Notice, noticeOf } from "./notification.ts";
import { inboxParts } from "./saved-parts.ts";
import { isAllToLookAt, nextLook, onRead, onTold, settle, sooner } from "./holds.ts";
import { lapse, noteAttended, onMoment, reconsiderFrom } from "./presence.ts";
import { onDeleted, onProfile, wasThere } from "./profile.ts";
import { attends } from "./sessions.ts";
import { compose } from "./snapshot.ts";
import { type Inbox, newInbox, type Thread } from "./state.ts";
import { change, dropped, follow, note, settingsOf, stepOf, threadOf, touch, type Visit, visit } from "./draft.ts";
import { holdOf } from "./when.ts";

type Of<T extends InboxEvent["type"]> = Extract<InboxEvent, { type: T }>;

/** The rule of services/inboxes/README.md over one user's inbox: who is told, about what, when. */
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
      ? onDue(visit(inbox, event.at, book))
      : onEvent(visit(inbox, event.loggedAt, book), event);
  },
  wake: (inbox, book) => sooner(sooner(inbox.lapsesAt, nextLook(inbox, book)), inbox.forgetAt),
  lookups: (payload) => lookupsFor(payload as Notice),
  compose: (payload, found) => compose(payload as Notice, found),
};

const onEvent = (it: Visit, event: InboxEvent): Step<Inbox> => {
  lapse(it);
  switch (event.type) {
    case "entry":
      onEntry(it, event);
      break;
    case "presence":
      onPresence(it, event);
      break;
    case "profile":
      onBack(it, onProfile(it, event.user, event.at));
      break;
    case "deleted":
      onDeleted(it, event.at);
      break;
  }
  if (it.isChanged && it.inbox.asOf >= 0) settle(it, false);
  return stepOf(it);
};

/** Since then a deleted user is there again: what came meanwhile may be missed after all. */
const onBack = (it: Visit, since: Millis | null): void => {
  if (since !== null && since < it.now) reconsiderFrom(it, since);
};

const onPresence = (it: Visit, { presence, at, readUntil }: Of<"presence">): void => {
  const { type, sessionId, conversationId } = presence;
  switch (type) {
    case "ONLINE":
    case "HEARTBEAT":
      onMoment(it, sessionId, { at, isSign: true, screen: conversationId });
      break;
    case "OFFLINE":
      onMoment(it, sessionId, { at, isSign: false, screen: null });
      break;
    case "READ": {
      if (conversationId === null) break;
      const thread = threadOf(it, conversationId);
      const lost = read(thread, readUntil);
      if (readOn(thread, at)) touch(it, thread);
      dropped(it, thread, lost, { reason: "read", facts: { readUntil: String(readUntil) } });
      onRead(it, at);
      break;
    }
    case "MARKED_UNREAD":
      break;
  }
};

const onEntry = (it: Visit, event: Of<"entry">): void => {
  const { key, entry, mentioned, plain, mentioning } = event;
  const { conversationId, messageId } = entry;
  const isMentioned = mentioned?.has(key) ?? false;
  const candidate = isMentioned ? mentioning : plain;
  const thread = threadOf(it, conversationId);
  switch (entry.type) {
    case "CANDIDATE":
      if (candidate === null) break;
      if (entry.reason === ANEW) withdraw(it, thread, candidate);
      onCandidate(it, thread, candidate);
      break;
    case "EDITED":
      if (messageId !== null && mention(thread, messageId, isMentioned)) touch(it, thread);
      break;
    default:
      dropped(it, thread, lostBy(event, thread), { reason: entry.reason ?? REASONS[entry.type], facts: {} });
  }
};

/** What was said of the message before holds no more. */
const withdraw = (it: Visit, thread: Thread, { message: { messageId } }: Candidate): void => {
  if (keep(thread, (one) => one.messageId !== messageId) !== null) touch(it, thread);
};

const REASONS = { OWN: "read", WITHDRAWN: "deleted", CLOSED: "left", MENTIONS_ONLY: "not_mentioned" };

/** What an entry takes from what was missed or attended. */
const lostBy = ({ entry, at }: Of<"entry">, thread: Thread): ReturnType<typeof keep> => {
  const { type, messageId, sentAt } = entry;
  switch (type) {
    case "OWN": // who writes has read what was there before: a later message is one of a greater time
      return read(thread, sentAt - 1);
    case "WITHDRAWN":
      return keep(thread, (message) => message.messageId !== messageId);
    case "CLOSED": // what became a candidate at that very moment did so after it
      return keep(thread, ({ since }) => since >= at);
    case "MENTIONS_ONLY":
      return keep(thread, ({ since, isMentioned }) => since >= at || isMentioned);
    default:
      return null;
  }
};

const onCandidate = (it: Visit, thread: Thread, { message, verdict }: Candidate): void => {
  const { inbox, now } = it;
  const { conversationId } = thread;
  const { messageId, since } = message;
  const reason = gone(thread, message);
  if (reason !== null) {
    note(it, { ...verdict, verdict: "REJECTED", reason });
    return;
  }
  const aside = !wasThere(inbox.profile, since)
    ? "user_deleted"
    : attends(inbox, conversationId, since, now)
      ? "attending"
      : null;
  if (aside === null) {
    note(it, verdict);
    if (miss(thread, message)) touch(it, thread);
    if (thread.attended.length === 0 || !thread.attended.some((one) => one.messageId === messageId)) return;
  } else {
    // Kept aside for a while: a lapse, or a record that is late, may tell otherwise. What is missed already stays so.
    const isMissed = thread.missed.some((one) => one.messageId === messageId);
    if (!isMissed) note(it, { ...verdict, verdict: "REJECTED", reason: aside });
    if (attend(thread, message, now)) touch(it, thread);
  }
  noteAttended(it, conversationId, since);
};

const onDue = (it: Visit): Step<Inbox> => {
  const { inbox, now } = it;
  lapse(it);
  forget(inbox, now);
  if (inbox.open.size > 0) notifyDue(it);
  change(it);
  settle(it, true);
  return stepOf(it);
};

/** Tells of the threads that nothing holds any more, in order: of each, or of all that is open. */
const notifyDue = (it: Visit): void => {
  const { inbox, now } = it;
  const settings = settingsOf(it);
  for (const thread of toLookAt(it)) {
    if (holdOf(inbox, thread, settings, now) !== null) continue;
    if (settings.group === "recipient") {
      notify(it, [...inbox.open]);
      return;
    }
    notify(it, [thread]);
  }
};

const toLookAt = (it: Visit): readonly Thread[] => {
  const { inbox, now } = it;
  const isAll = isAllToLookAt(it);
  const some: Thread[] = [];
  for (const thread of inbox.open) if (isAll || (thread.until !== null && thread.until <= now)) some.push(thread);
  return some.length > 1 ? some.toSorted(inOrder) : some;
};

const inOrder = (a: Thread, b: Thread): number =>
  (a.missed[0]?.since ?? 0) - (b.missed[0]?.since ?? 0) || (a.conversationId < b.conversationId ? -1 : 1);

/** One notification about all that is missed in the threads. */
const notify = (it: Visit, threads: readonly Thread[]): void => {
  const { inbox, now } = it;
  follow(it, { type: "compose", payload: noticeOf(inbox, threads, now) });
  for (const thread of threads) {
    tell(thread, now);
    touch(it, thread);
  }
  onTold(it);
};
