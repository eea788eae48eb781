import type { ConversationId } from "../core/ids.ts";
import type { PresenceEvent } from "../core/records.ts";
import { type Millis, SECOND } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { confirm, giveBack } from "./missed.ts";
import type { PresenceRow, Session } from "./state.ts";

/** A session without a sign for so long has lapsed. */
export const SESSION_TTL: Millis = 45 * SECOND;

const sessionsOf = ({ sessions }: PresenceRow): readonly (readonly [string, Session])[] => Object.entries(sessions);

/** A session id may be any text, `constructor` too. */
const sessionOf = ({ sessions }: PresenceRow, id: string): Session | undefined =>
  Object.hasOwn(sessions, id) ? sessions[id] : undefined;

/** When the first live session lapses if no sign comes. */
export const nextLapse = (row: PresenceRow): Millis | null => {
  const lapses = sessionsOf(row).map(([, { sign }]) => sign + SESSION_TTL);
  return lapses.length === 0 ? null : Math.min(...lapses);
};

/** The sessions through which the user attends the conversation. */
export const attendingSessions = (row: PresenceRow, conversation: ConversationId): readonly string[] =>
  sessionsOf(row).flatMap(([id, { screen }]) => (screen === conversation ? [id] : []));

/** A message came on the session's screen. */
export const noteAttended = (user: Draft, sessionId: string, conversation: ConversationId): void => {
  const row = user.presence();
  const session = sessionOf(row, sessionId);
  if (session === undefined || session.attended.includes(conversation)) return;
  const attended = [...session.attended, conversation];
  user.setPresence({ ...row, sessions: { ...row.sessions, [sessionId]: { ...session, attended } } });
};

/** A session shows that it is there: ONLINE or HEARTBEAT. */
export const sign = (user: Draft, { sessionId, conversationId }: PresenceEvent, at: Millis): void => {
  lapseBefore(user, sessionId, at);
  const row = user.presence();
  const before = sessionOf(row, sessionId);
  if (before !== undefined && before.sign > at) return; // a later sign is known
  const attended = before === undefined ? [] : confirmed(user, sessionId, before, at);
  const session = { sign: at, screen: conversationId, attended };
  user.setPresence({ ...row, sessions: { ...row.sessions, [sessionId]: session } });
};

/** A session says that it ends: OFFLINE. After its lapse that means nothing. */
export const signOff = (user: Draft, { sessionId }: PresenceEvent, at: Millis): void => {
  lapseBefore(user, sessionId, at);
  const session = sessionOf(user.presence(), sessionId);
  if (session === undefined || session.sign > at) return;
  confirmed(user, sessionId, session, at);
  end(user, sessionId, at);
};

/** Ends the sessions that have lapsed by then: each was live only until its latest sign. */
export const lapse = (user: Draft, at: Millis): void => {
  for (const [id, session] of sessionsOf(user.presence()))
    if (session.sign + SESSION_TTL <= at) endLapsed(user, id, session);
};

/** Records further apart than SESSION_TTL don't belong together, even where the timer between them is still to come. */
const lapseBefore = (user: Draft, sessionId: string, at: Millis): void => {
  const session = sessionOf(user.presence(), sessionId);
  if (session !== undefined && at - session.sign > SESSION_TTL) endLapsed(user, sessionId, session);
};

const endLapsed = (user: Draft, sessionId: string, session: Session): void => {
  for (const conversation of session.attended)
    user.changeThread(conversation, session.sign, (thread) => giveBack(thread, sessionId));
  end(user, sessionId, session.sign);
};

const end = (user: Draft, sessionId: string, at: Millis): void => {
  const row = user.presence();
  const { [sessionId]: _ended, ...sessions } = row.sessions;
  user.setPresence({ ...row, sessions, awaySince: Math.max(row.awaySince ?? at, at) });
};

/** The session was live until then: what came on its screen by that time was seen. Returns where something came later. */
const confirmed = (user: Draft, sessionId: string, session: Session, until: Millis): readonly ConversationId[] =>
  session.attended.filter((conversation) => {
    user.changeThread(conversation, until, (thread) => confirm(thread, sessionId, until));
    return user.thread(conversation).attended.some(({ sessionIds }) => sessionIds.includes(sessionId));
  });
