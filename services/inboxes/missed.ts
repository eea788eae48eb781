import type { MessageId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import type { Millis } from "../platform/contract/time.ts";
import { MAX_LISTED, MAX_TOLD, MAX_TOLD_TIMES, type Missed, type Thread } from "./state.ts";

/** Attended messages that are remembered beyond what a lapse may give back: a late record may tell otherwise. */
const MAX_ATTENDED = 100;
/** For so long all of them are. */
const ATTENDED: Millis = 90_000;

/** What is no longer missed: the messages' ids; null: the thread has not changed at all. */
export type Gone = readonly MessageId[] | null;

const none: readonly MessageId[] = [];

/** In the order of `since`; of one time, as sent, then as the log had them. */
export const byTime = (a: Missed, b: Missed): number =>
  a.since - b.since || a.sentAt - b.sentAt || a.loggedAt - b.loggedAt;

/** Puts it in its place among others, mostly the last. */
const insert = (messages: Missed[], message: Missed): void => {
  const last = messages[messages.length - 1];
  if (last === undefined || byTime(last, message) <= 0) messages.push(message);
  else messages.splice(messages.findLastIndex((one) => byTime(one, message) <= 0) + 1, 0, message);
};

/** Why a candidate is not missed whoever attended; null: it may be. */
export const gone = ({ readUntil, told, toldAt }: Thread, { messageId, sentAt }: Missed): "read" | "told" | null => {
  if (sentAt <= readUntil) return "read";
  // A notification is about nothing that was sent after it.
  const isOlder = sentAt <= (toldAt[toldAt.length - 1] ?? -Infinity);
  return isOlder && told.includes(messageId) ? "told" : null;
};

/**
 * Adds a missed message; one that is missed already may only gain a mention, or turn out to be so for longer. When it
 * became so again is kept aside: should it turn out that the first time it was attended, it is missed since then. Returns
 * whether anything changed.
 */
export const miss = (thread: Thread, message: Missed): boolean => {
  if (gone(thread, message) !== null) return false;
  const { missed } = thread;
  const place = placeOf(missed, message.messageId);
  const before = missed[place];
  if (before !== undefined && before.since <= message.since) {
    const isAside = before.since < message.since && attend(thread, message, message.loggedAt);
    const isMentioned = message.isMentioned && !before.isMentioned && mention(thread, message.messageId, true);
    return isAside || isMentioned;
  }
  if (before !== undefined) missed.splice(place, 1);
  const isOnlyMentionedBefore = before?.isMentioned === true && !message.isMentioned;
  insert(missed, isOnlyMentionedBefore ? { ...message, isMentioned: true } : message);
  if (missed.length > MAX_LISTED + 1) missed.splice(1, 1);
  if (before === undefined) thread.count++;
  return true;
};

const placeOf = (messages: readonly Missed[], id: MessageId): number => {
  for (let place = messages.length - 1; place >= 0; place--) if (messages[place]?.messageId === id) return place;
  return -1;
};

/** Notes a message that came while it was on screen. Returns whether that is news. */
export const attend = (thread: Thread, message: Missed, now: Millis): boolean => {
  const { attended } = thread;
  const isKnown = ({ messageId, since }: Missed): boolean => messageId === message.messageId && since === message.since;
  if (gone(thread, message) !== null || attended.some(isKnown)) return false;
  insert(attended, message);
  let surplus = 0;
  while (surplus < attended.length && (attended[surplus]?.since ?? 0) <= now - LATENESS) surplus++;
  let old = surplus;
  while (old < attended.length - MAX_ATTENDED && (attended[old]?.since ?? 0) <= now - ATTENDED) old++;
  surplus = Math.max(old, attended.length - MAX_LISTED);
  if (surplus > 0) attended.splice(0, surplus);
  return true;
};

/**
 * Decides anew which of the candidates from a time on were attended. Returns what was missed before, where that is
 * another now.
 */
export const reconsider = (
  thread: Thread,
  from: Millis,
  isAttended: (message: Missed) => boolean,
  now: Millis,
): readonly Missed[] | null => {
  const { missed, attended } = thread;
  const onScreen = since(missed, from).filter(isAttended);
  const isMissed = (message: Missed): boolean =>
    missed.some((one) => one.messageId === message.messageId && one.since <= message.since && !onScreen.includes(one));
  const back = since(attended, from).filter((message) => !isAttended(message) && !isMissed(message));
  if (back.length + onScreen.length === 0) return null;
  const before = [...missed];
  retain(attended, (message) => !back.includes(message));
  retain(missed, (message) => !onScreen.includes(message));
  thread.count -= onScreen.length;
  for (const message of back) miss(thread, message);
  for (const message of onScreen) attend(thread, message, now);
  return before;
};

/** Those of a time from `from` on. */
const since = (messages: readonly Missed[], from: Millis): readonly Missed[] => {
  let index = messages.length;
  while (index > 0 && (messages[index - 1]?.since ?? 0) >= from) index--;
  return index === messages.length ? noMessages : messages.slice(index);
};

const noMessages: readonly Missed[] = [];

/** Keeps those that the test keeps, in place. Returns whether that is not all of them. */
const retain = (messages: Missed[], test: (message: Missed) => boolean): boolean => {
  let kept = 0;
  for (const message of messages) if (test(message)) messages[kept++] = message;
  const isLess = kept < messages.length;
  if (isLess) messages.length = kept;
  return isLess;
};

/** Keeps what the test keeps, missed or attended. */
export const keep = (thread: Thread, test: (message: Missed) => boolean): Gone => {
  const { missed, attended } = thread;
  if (missed.length === 0 && attended.length === 0) return null;
  const lost = missed.flatMap((message) => (test(message) ? none : [message.messageId]));
  if (lost.length > 0) retain(missed, test);
  const isLess = retain(attended, test);
  // What is no longer listed is older than what is: with nothing left of the list, nothing is left of it either.
  thread.count = missed.length === 0 ? 0 : thread.count - lost.length;
  return lost.length > 0 || isLess ? lost : null;
};

/** Everything up to that time is read. */
export const read = (thread: Thread, until: Millis): Gone => {
  if (until <= thread.readUntil) return null;
  // What isn't listed lies between the first and the second: who has read that one has read them, too.
  const hasReadUnlisted = (thread.missed[1]?.sentAt ?? Infinity) <= until;
  const lost = keep(thread, ({ sentAt }) => sentAt > until) ?? none;
  if (hasReadUnlisted) thread.count = thread.missed.length;
  thread.readUntil = until;
  return lost;
};

/** The user read here at that time: the cooldown starts over. Returns whether that is news. */
export const readOn = (thread: Thread, at: Millis): boolean => {
  if (at <= (thread.readAt ?? -Infinity)) return false;
  thread.readAt = at;
  return true;
};

/** Whether the message mentions the user now. Returns whether that is news. */
export const mention = ({ missed, attended }: Thread, message: MessageId, isMentioned: boolean): boolean => {
  let isNews = false;
  for (const messages of [missed, attended])
    for (const [index, one] of messages.entries())
      if (one.messageId === message && one.isMentioned !== isMentioned) {
        messages[index] = { ...one, isMentioned };
        isNews = true;
      }
  return isNews;
};

/** Nothing is missed any more: a notification is about all of it. */
export const tell = (thread: Thread, at: Millis): void => {
  const { missed, told, toldAt } = thread;
  for (const { messageId } of missed) told.push(messageId);
  if (told.length > MAX_TOLD) told.splice(0, told.length - MAX_TOLD);
  if (toldAt.push(at) > MAX_TOLD_TIMES) toldAt.shift();
  missed.length = 0;
  thread.count = 0;
};
