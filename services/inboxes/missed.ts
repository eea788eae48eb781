import type { MessageId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import type { Millis } from "../platform/contract/time.ts";
import { MAX_LISTED, MAX_TOLD, MAX_TOLD_TIMES, type Missed, type Thread } from "./state.ts";

/** Attended messages that a thread remembers after ATTENDED, for late records that may show them to be missed. */
const MAX_ATTENDED = 100;
/** Time for which every attended message is remembered: a lapse may make it missed until then. */
const ATTENDED: Millis = 90_000;

/** Ids of messages that are no longer missed; null: the thread has not changed. */
export type Gone = readonly MessageId[] | null;

const none: readonly MessageId[] = [];

/** Orders messages by `since`, then by their own times, then by their Kafka timestamps. */
export const byTime = (a: Missed, b: Missed): number =>
  a.since - b.since || a.sentAt - b.sentAt || a.loggedAt - b.loggedAt;

/** Inserts a message in the order of time. It mostly is the last. */
const insert = (messages: Missed[], message: Missed): void => {
  const last = messages[messages.length - 1];
  if (last === undefined || byTime(last, message) <= 0) messages.push(message);
  else messages.splice(messages.findLastIndex((other) => byTime(other, message) <= 0) + 1, 0, message);
};

/** Reason why a candidate is not missed, whether or not it was attended; null: it may be missed. */
export const reasonNotMissed = (
  { readUntil, told, toldAt }: Thread,
  { messageId, sentAt }: Missed,
): "read" | "told" | null => {
  if (sentAt <= readUntil) return "read";
  // No notification is about a message that was sent after it.
  const isOlder = sentAt <= (toldAt[toldAt.length - 1] ?? -Infinity);
  return isOlder && told.includes(messageId) ? "told" : null;
};

/**
 * Adds a missed message. One already listed may gain a mention, or an earlier `since`. A later `since` is kept among the
 * attended, in case the earlier one turns out to have been seen on screen. Returns whether the thread has changed.
 */
export const miss = (thread: Thread, message: Missed): boolean => {
  if (reasonNotMissed(thread, message) !== null) return false;
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

/** Adds a message that came while its conversation was on screen. Returns whether the thread has changed. */
export const attend = (thread: Thread, message: Missed, now: Millis): boolean => {
  const { attended } = thread;
  const isKnown = ({ messageId, since }: Missed): boolean => messageId === message.messageId && since === message.since;
  if (reasonNotMissed(thread, message) !== null || attended.some(isKnown)) return false;
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
 * Decides anew which candidates since a time were attended. Returns the messages missed before; null: nothing has
 * changed.
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
    missed.some(
      (known) => known.messageId === message.messageId && known.since <= message.since && !onScreen.includes(known),
    );
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

/** The messages whose `since` is `from` or later. */
const since = (messages: readonly Missed[], from: Millis): readonly Missed[] => {
  let index = messages.length;
  while (index > 0 && (messages[index - 1]?.since ?? 0) >= from) index--;
  return index === messages.length ? noMessages : messages.slice(index);
};

const noMessages: readonly Missed[] = [];

/** Keeps the messages that pass a test, in place. Returns whether any was removed. */
const retain = (messages: Missed[], test: (message: Missed) => boolean): boolean => {
  let kept = 0;
  for (const message of messages) if (test(message)) messages[kept++] = message;
  const isLess = kept < messages.length;
  if (isLess) messages.length = kept;
  return isLess;
};

/** Keeps the messages of a thread that pass a test, missed or attended. */
export const keep = (thread: Thread, test: (message: Missed) => boolean): Gone => {
  const { missed, attended } = thread;
  if (missed.length === 0 && attended.length === 0) return null;
  const lost = missed.flatMap((message) => (test(message) ? none : [message.messageId]));
  if (lost.length > 0) retain(missed, test);
  const isLess = retain(attended, test);
  // Unlisted messages are older than the latest listed ones: if no listed one stays, no unlisted one does.
  thread.count = missed.length === 0 ? 0 : thread.count - lost.length;
  return lost.length > 0 || isLess ? lost : null;
};

/** Marks every message up to a time as read. */
export const read = (thread: Thread, until: Millis): Gone => {
  if (until <= thread.readUntil) return null;
  // Unlisted messages lie between the first and the second listed: a read of the second reads them too.
  const hasReadUnlisted = (thread.missed[1]?.sentAt ?? Infinity) <= until;
  const lost = keep(thread, ({ sentAt }) => sentAt > until) ?? none;
  if (hasReadUnlisted) thread.count = thread.missed.length;
  thread.readUntil = until;
  return lost;
};

/**
 * Records when the user read the conversation, which starts the cooldown over. Returns whether the thread has changed.
 */
export const readOn = (thread: Thread, at: Millis): boolean => {
  if (at <= (thread.readAt ?? -Infinity)) return false;
  thread.readAt = at;
  return true;
};

/** Records whether a message mentions the user. Returns whether the thread has changed. */
export const mention = ({ missed, attended }: Thread, message: MessageId, isMentioned: boolean): boolean => {
  let hasChanged = false;
  for (const messages of [missed, attended])
    for (const [index, known] of messages.entries())
      if (known.messageId === message && known.isMentioned !== isMentioned) {
        messages[index] = { ...known, isMentioned };
        hasChanged = true;
      }
  return hasChanged;
};

/** Moves every missed message to the told ones: a notification is about all of them. */
export const tell = (thread: Thread, at: Millis): void => {
  const { missed, told, toldAt } = thread;
  for (const { messageId } of missed) told.push(messageId);
  if (told.length > MAX_TOLD) told.splice(0, told.length - MAX_TOLD);
  if (toldAt.push(at) > MAX_TOLD_TIMES) toldAt.shift();
  missed.length = 0;
  thread.count = 0;
};
