import type { ConversationId } from "../core/ids.ts";
import type { PresenceEvent } from "../core/records.ts";
import { type Millis, SECOND } from "../core/time.ts";
import { miss } from "./missed.ts";
import { type Attended, type Inbox, mapThreads, type Missed, type Session, type Thread } from "./state.ts";

/** A session without a sign for so long has lapsed. */
export const SESSION_TTL: Millis = 45 * SECOND;

const sessionsOf = (inbox: Inbox): readonly (readonly [string, Session])[] => Object.entries(inbox.sessions);

export const isOnline = (inbox: Inbox): boolean => sessionsOf(inbox).length > 0;

/** When the first live session lapses if no sign comes. */
export const nextLapse = (inbox: Inbox): Millis | null => {
  const lapses = sessionsOf(inbox).map(([, { sign }]) => sign + SESSION_TTL);
  return lapses.length === 0 ? null : Math.min(...lapses);
};

/** The session through which the user attends the conversation, if any does. */
export const attendingSession = (inbox: Inbox, conversation: ConversationId): string | null =>
  sessionsOf(inbox).find(([, { screen }]) => screen === conversation)?.[0] ?? null;

/** A session shows that it is there: ONLINE or HEARTBEAT. */
export const sign = (inbox: Inbox, { sessionId, conversationId }: PresenceEvent, at: Millis): Inbox => {
  const current = lapseBefore(inbox, sessionId, at);
  const before = sessionOf(current, sessionId);
  if (before !== undefined && before.sign > at) return current; // a later sign is known
  const sessions = { ...current.sessions, [sessionId]: { sign: at, screen: conversationId } };
  return confirm({ ...current, sessions }, sessionId, at);
};

/** A session says that it ends: OFFLINE. After its lapse that means nothing. */
export const signOff = (inbox: Inbox, { sessionId }: PresenceEvent, at: Millis): Inbox => {
  const current = lapseBefore(inbox, sessionId, at);
  const session = sessionOf(current, sessionId);
  if (session === undefined || session.sign > at) return current;
  return end(confirm(current, sessionId, at), sessionId, at);
};

/** Ends the sessions that have lapsed by then. */
export const lapse = (inbox: Inbox, at: Millis): Inbox =>
  sessionsOf(inbox)
    .filter(([, session]) => session.sign + SESSION_TTL <= at)
    .reduce((current, [id, session]) => giveBack(end(current, id, session.sign), id), inbox);

/** Records further apart than SESSION_TTL don't belong together, even where the timer between them is still to come. */
const lapseBefore = (inbox: Inbox, sessionId: string, at: Millis): Inbox => {
  const session = sessionOf(inbox, sessionId);
  return session !== undefined && at - session.sign > SESSION_TTL
    ? giveBack(end(inbox, sessionId, session.sign), sessionId)
    : inbox;
};

const sessionOf = ({ sessions }: Inbox, id: string): Session | undefined =>
  Object.hasOwn(sessions, id) ? sessions[id] : undefined;

const end = (inbox: Inbox, sessionId: string, at: Millis): Inbox => {
  const { [sessionId]: _, ...sessions } = inbox.sessions;
  return { ...inbox, sessions, awaySince: Math.max(inbox.awaySince ?? at, at) };
};

/** The session was live until then: what came on its screen by that time was seen. */
const confirm = (inbox: Inbox, sessionId: string, until: Millis): Inbox =>
  changeAttended(inbox, sessionId, (thread) => ({
    ...thread,
    attended: thread.attended.filter((message) => message.sessionId !== sessionId || message.since > until),
  }));

/** The session was live only until its latest sign: what came on its screen after that was missed. */
const giveBack = (inbox: Inbox, sessionId: string): Inbox =>
  changeAttended(inbox, sessionId, (thread) => {
    const back = thread.attended.filter((message) => message.sessionId === sessionId);
    const attended = thread.attended.filter((message) => message.sessionId !== sessionId);
    return back.reduce<Thread>((current, message) => miss(current, unattended(message)), { ...thread, attended });
  });

const unattended = ({ messageId, senderId, sentAt, since, isMentioned }: Attended): Missed => ({
  messageId,
  senderId,
  sentAt,
  since,
  isMentioned,
});

const changeAttended = (inbox: Inbox, sessionId: string, change: (thread: Thread) => Thread): Inbox => {
  const concerns = (thread: Thread): boolean => thread.attended.some((message) => message.sessionId === sessionId);
  if (!Object.values(inbox.conversations).some(concerns)) return inbox;
  return mapThreads(inbox, (thread) => (concerns(thread) ? change(thread) : thread));
};
