import type { ConversationId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import type { Millis } from "../platform/contract/time.ts";
import { reconsider } from "./missed.ts";
import { isUserUndeletedSince } from "./profile.ts";
import {
  attends,
  changesFrom,
  earliestLapsed,
  forgetSessions,
  momentsOf,
  deriveOnline,
  withMoment,
  withSession,
} from "./sessions.ts";
import { type Inbox, type Moment, type Thread } from "./state.ts";
import { emptyVerdict, markStanding, note, markThread, type Draft } from "./draft.ts";

/** Adds a sign or the end of a session, and decides anew about the messages that it bears on. */
export const onMoment = (draft: Draft, sessionId: string, moment: Moment): void => {
  const { inbox } = draft;
  const known = momentsOf(inbox, sessionId);
  const moments = withMoment(known, moment);
  if (moments === known) return;
  const from = changesFrom(known, moment.at, inbox.asOf);
  inbox.sessions = withSession(inbox.sessions, { sessionId, moments });
  if (moment.isSign) onSign(draft, moment.at);
  updateSessions(draft);
  reconsiderFrom(draft, from);
};

/** Records a sign. It rechecks all threads if a notification came before: the cooldown starts over. */
const onSign = (draft: Draft, at: Millis): void => {
  const { inbox } = draft;
  const before = inbox.signAt ?? -Infinity;
  if (at <= before) return;
  inbox.signAt = at;
  for (let index = inbox.told.length - 1; (inbox.told[index] ?? -Infinity) >= before && index >= 0; index--)
    if ((inbox.told[index] ?? 0) < at) draft.recheckAll = true;
};

const updateSessions = (draft: Draft): void => {
  const { inbox, now } = draft;
  forgetSessions(inbox, now);
  if (deriveOnline(inbox, now)) draft.recheckAll = true;
  markStanding(draft);
};

/**
 * Ends the sessions without a sign for SESSION_TTL. They were live only until their latest sign, so messages that came on
 * their screens after it are missed. A lapse at the event's own time is taken before the event, or would be lost.
 */
export const lapse = (draft: Draft): void => {
  const { inbox, now } = draft;
  if (inbox.lapsesAt === null || inbox.lapsesAt > now) return;
  const lapsed = earliestLapsed(inbox, inbox.asOf, now);
  updateSessions(draft);
  reconsiderFrom(draft, lapsed ?? now);
};

/** Records the time of a message that came while its conversation was on screen. */
export const noteAttended = (draft: Draft, conversation: ConversationId, since: Millis): void => {
  const { inbox } = draft;
  if (since <= (inbox.attended.get(conversation) ?? -Infinity)) return;
  inbox.attended.set(conversation, since);
  markStanding(draft);
};

/** Decides anew which messages since a time were missed, in all threads that the change may concern. */
export const reconsiderFrom = (draft: Draft, since: Millis): void => {
  const { inbox, now } = draft;
  const from = Math.max(since, now - LATENESS); // older moments may be forgotten
  for (const thread of concernedThreads(inbox, from)) reconsiderThread(draft, thread, from);
  for (const [conversation, latest] of inbox.attended)
    if (latest <= now - LATENESS) inbox.attended.delete(conversation); // no late record can make it missed any more
};

/** Threads with a message since a time that was attended, or missed though it may have been on screen. */
const concernedThreads = (inbox: Inbox, from: Millis): readonly Thread[] => {
  const found: Thread[] = [];
  for (const [conversation, latest] of inbox.attended) {
    const thread = latest >= from ? inbox.threads.get(conversation) : undefined;
    if (thread !== undefined) found.push(thread);
  }
  for (const thread of inbox.open) {
    const { conversationId, missed } = thread;
    const isRecent = (missed[missed.length - 1]?.since ?? -Infinity) >= from;
    if (isRecent && wasOnScreen(inbox, conversationId) && !found.includes(thread)) found.push(thread);
  }
  return found;
};

const wasOnScreen = ({ sessions }: Inbox, conversation: ConversationId): boolean =>
  sessions.some(({ moments }) => moments.some(({ screen }) => screen === conversation));

const reconsiderThread = (draft: Draft, thread: Thread, from: Millis): void => {
  const { inbox, now } = draft;
  const { conversationId, missed, attended } = thread;
  const isAttended = ({ since }: { readonly since: Millis }): boolean =>
    attends(inbox, conversationId, since, now) || !isUserUndeletedSince(inbox.profile, since);
  const before = reconsider(thread, from, isAttended, now);
  const latest = attended.at(-1)?.since;
  if (latest !== undefined) noteAttended(draft, conversationId, latest);
  if (before === null) return;
  markThread(draft, thread);
  const [were, are] = [new Set(before.map(idOf)), new Set(missed.map(idOf))];
  const lost = [...were].filter((id) => !are.has(id));
  const back = [...are].filter((id) => !were.has(id));
  if (lost.length > 0)
    note(draft, { ...emptyVerdict, verdict: "DROPPED", reason: "attending", conversationId, messageIds: lost });
  if (back.length > 0) note(draft, { ...emptyVerdict, verdict: "CANDIDATE", conversationId, messageIds: back });
};

const idOf = <Id>({ messageId }: { readonly messageId: Id }): Id => messageId;
