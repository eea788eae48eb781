import type { MessageId } from "../core/ids.ts";
import type { Millis } from "../core/time.ts";
import { LATENESS, MAX_LISTED, MAX_TOLD, MAX_TOLD_TIMES, type Missed, type ThreadRow } from "./state.ts";

/** Attended messages that are remembered beyond what a lapse may give back: a late record may tell otherwise. */
const MAX_ATTENDED = 100;
/** For so long all of them are. */
const ATTENDED: Millis = 90_000;

/** In the order of `since`; of one time, as sent, then as the log had them. */
export const byTime = (a: Missed, b: Missed): number => a.since - b.since || a.sentAt - b.sentAt || a.seen - b.seen;

/** In its place among others, mostly the last. */
const inserted = (messages: readonly Missed[], message: Missed): Missed[] => {
  const last = messages[messages.length - 1];
  const all = messages.slice();
  all.push(message);
  return last === undefined || byTime(last, message) <= 0 ? all : all.toSorted(byTime);
};

/** Why a candidate is not missed whoever attended; null: it may be. */
export const gone = (thread: ThreadRow, { messageId, sentAt }: Missed): "read" | "told" | null => {
  if (sentAt <= thread.readUntil) return "read";
  // A notification is about nothing that was sent after it.
  const isOlder = sentAt <= (thread.toldAt.at(-1) ?? -Infinity);
  return isOlder && thread.told.includes(messageId) ? "told" : null;
};

/**
 * Adds a missed message; one that is missed already may only gain a mention, or turn out to be so for longer. When it
 * became so again is kept aside: should it turn out that the first time it was attended, it is missed since then.
 */
export const miss = (thread: ThreadRow, message: Missed): ThreadRow => {
  if (gone(thread, message) !== null) return thread;
  const before = thread.missed.find(({ messageId }) => messageId === message.messageId);
  if (before !== undefined && before.since <= message.since) {
    const aside = before.since < message.since ? attend(thread, message, message.seen) : thread;
    return message.isMentioned && !before.isMentioned ? mention(aside, message.messageId, true) : aside;
  }
  const others = before === undefined ? thread.missed : thread.missed.filter((one) => one !== before);
  const isOnlyMentionedBefore = before?.isMentioned === true && !message.isMentioned;
  const missed = inserted(others, isOnlyMentionedBefore ? { ...message, isMentioned: true } : message);
  if (missed.length > MAX_LISTED + 1) missed.splice(1, 1);
  return { ...thread, missed, count: thread.count + (before === undefined ? 1 : 0) };
};

/** Notes a message that came while it was on screen. */
export const attend = (thread: ThreadRow, message: Missed, now: Millis): ThreadRow => {
  const isKnown = ({ messageId, since }: Missed): boolean => messageId === message.messageId && since === message.since;
  if (gone(thread, message) !== null || thread.attended.some(isKnown)) return thread;
  const recent = inserted(thread.attended, message).filter(({ since }) => since > now - LATENESS);
  const from = recent.findIndex(({ since }) => since > now - ATTENDED);
  const keptFrom = Math.max(
    recent.length - MAX_LISTED,
    Math.min(from === -1 ? recent.length : from, recent.length - MAX_ATTENDED),
    0,
  );
  return { ...thread, attended: recent.slice(keptFrom) };
};

/** Decides anew which of the candidates from a time on were attended. */
export const reconsider = (
  thread: ThreadRow,
  from: Millis,
  isAttended: (message: Missed) => boolean,
  now: Millis,
): ThreadRow => {
  const seen = thread.missed.filter((message) => message.since >= from && isAttended(message));
  const isMissed = ({ messageId, since }: Missed): boolean =>
    thread.missed.some((one) => one.messageId === messageId && one.since <= since && !seen.includes(one));
  const back = thread.attended.filter((one) => one.since >= from && !isAttended(one) && !isMissed(one));
  if (back.length + seen.length === 0) return thread;
  const kept = {
    ...thread,
    attended: thread.attended.filter((message) => !back.includes(message)),
    missed: thread.missed.filter((message) => !seen.includes(message)),
    count: thread.count - seen.length,
  };
  const missing = back.reduce<ThreadRow>((row, message) => miss(row, message), kept);
  return seen.reduce<ThreadRow>((row, message) => attend(row, message, now), missing);
};

/** Keeps what the test keeps, missed or attended. */
export const keep = (thread: ThreadRow, test: (message: Missed) => boolean): ThreadRow => {
  const missed = thread.missed.filter(test);
  const attended = thread.attended.filter(test);
  if (missed.length === thread.missed.length && attended.length === thread.attended.length) return thread;
  // What is no longer listed is older than what is: with nothing left of the list, nothing is left of it either.
  const count = missed.length === 0 ? 0 : thread.count - (thread.missed.length - missed.length);
  return { ...thread, missed, attended, count };
};

/** Everything up to that time is read. */
export const read = (thread: ThreadRow, until: Millis): ThreadRow => {
  if (until <= thread.readUntil) return thread;
  const after = keep(thread, ({ sentAt }) => sentAt > until);
  // What isn't listed lies between the first and the second: who has read that one has read them, too.
  const hasReadUnlisted = (thread.missed[1]?.sentAt ?? Infinity) <= until;
  return { ...after, count: hasReadUnlisted ? after.missed.length : after.count, readUntil: until };
};

/** The user read here at that time: the cooldown starts over. */
export const readOn = (thread: ThreadRow, at: Millis): ThreadRow =>
  thread.readAt !== null && at <= thread.readAt ? thread : { ...thread, readAt: at };

/** Whether the message mentions the user now. */
export const mention = (thread: ThreadRow, message: MessageId, isMentioned: boolean): ThreadRow => {
  const differs = (one: Missed): boolean => one.messageId === message && one.isMentioned !== isMentioned;
  if (!thread.missed.some(differs) && !thread.attended.some(differs)) return thread;
  const change = (one: Missed): Missed => (one.messageId === message ? { ...one, isMentioned } : one);
  return { ...thread, missed: thread.missed.map(change), attended: thread.attended.map(change) };
};

/** Nothing is missed any more: a notification is about all of it. */
export const tell = (thread: ThreadRow, at: Millis): ThreadRow => ({
  ...thread,
  missed: [],
  count: 0,
  told: [...thread.told, ...thread.missed.map(({ messageId }) => messageId)].slice(-MAX_TOLD),
  toldAt: [...thread.toldAt, at].slice(-MAX_TOLD_TIMES),
});
