import type { MessageId } from "../core/ids.ts";
import type { Millis } from "../core/time.ts";
import { type Attended, MAX_LISTED, MAX_TOLD, type Missed, type ThreadRow } from "./state.ts";

/** Adds a missed message, in the order of `since`; one that is missed already may only gain a mention. */
export const miss = (thread: ThreadRow, message: Missed): ThreadRow => {
  if (message.sentAt <= thread.readUntil || thread.told.includes(message.messageId)) return thread;
  const before = thread.missed.find(({ messageId }) => messageId === message.messageId);
  if (before !== undefined)
    return message.isMentioned && !before.isMentioned ? mention(thread, message.messageId, true) : thread;
  const last = thread.missed.at(-1);
  const isInOrder = last === undefined || last.since <= message.since;
  const missed = isInOrder
    ? [...thread.missed, message]
    : [...thread.missed, message].toSorted((a, b) => a.since - b.since || a.sentAt - b.sentAt);
  if (missed.length > MAX_LISTED + 1) missed.splice(1, 1);
  return { ...thread, missed, count: thread.count + 1 };
};

/** Notes a message that came while it was on screen. */
export const attend = (thread: ThreadRow, message: Attended): ThreadRow =>
  message.sentAt <= thread.readUntil || thread.attended.some(({ messageId }) => messageId === message.messageId)
    ? thread
    : { ...thread, attended: [...thread.attended, message].slice(-MAX_LISTED) };

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

/** Whether the message mentions the user now. */
export const mention = (thread: ThreadRow, message: MessageId, isMentioned: boolean): ThreadRow => {
  const differs = (one: Missed): boolean => one.messageId === message && one.isMentioned !== isMentioned;
  if (!thread.missed.some(differs) && !thread.attended.some(differs)) return thread;
  const change = <M extends Missed>(one: M): M => (one.messageId === message ? { ...one, isMentioned } : one);
  return { ...thread, missed: thread.missed.map(change), attended: thread.attended.map(change) };
};

/** What is missed by then; in a backlog, what came later may be known already. */
export const missedBy = ({ missed }: ThreadRow, at: Millis): readonly Missed[] => {
  const last = missed.at(-1);
  return last === undefined || last.since <= at ? missed : missed.filter(({ since }) => since <= at);
};

/** Nothing of that time is missed any more: a notification is about all of it. */
export const tell = (thread: ThreadRow, at: Millis): ThreadRow => {
  const about = missedBy(thread, at);
  const later = thread.missed.slice(about.length);
  const told = [...thread.told, ...about.map(({ messageId }) => messageId)].slice(-MAX_TOLD);
  return { ...thread, missed: later, count: later.length, told };
};

/** The session was live until then: what came on its screen by that time was seen. */
export const confirm = (thread: ThreadRow, sessionId: string, until: Millis): ThreadRow => {
  const attended = thread.attended.filter(
    (message) => !message.sessionIds.includes(sessionId) || message.since > until,
  );
  return attended.length === thread.attended.length ? thread : { ...thread, attended };
};

/** The session was live only until its latest sign: what came on its screen alone after that was missed. */
export const giveBack = (thread: ThreadRow, sessionId: string): ThreadRow => {
  const left = thread.attended.map((message) => ({
    ...message,
    sessionIds: message.sessionIds.filter((id) => id !== sessionId),
  }));
  const back = left.filter(({ sessionIds }) => sessionIds.length === 0);
  const attended = left.filter(({ sessionIds }) => sessionIds.length > 0);
  return back.reduce<ThreadRow>((current, message) => miss(current, unattended(message)), { ...thread, attended });
};

const unattended = ({ messageId, senderId, sentAt, since, isMentioned }: Attended): Missed => ({
  messageId,
  senderId,
  sentAt,
  since,
  isMentioned,
});
