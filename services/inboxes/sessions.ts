import type { ConversationId } from "../core/ids.ts";
import { type Millis, SECOND } from "../core/time.ts";
import { LATENESS, type Moment, type PresenceRow, type Session } from "./state.ts";

/** A session without a sign for so long has lapsed; its records no further apart belong together. */
export const SESSION_TTL: Millis = 45 * SECOND;

/** Moments of one session that are remembered: those before are as good as certain. */
const MAX_MOMENTS = 16;
/** Sessions of one user: beyond, those are forgotten that ended the longest ago. */
const MAX_SESSIONS = 32;

/** A session id may be any text, `constructor` too. */
export const sessionOf = ({ sessions }: PresenceRow, id: string): Session =>
  (Object.hasOwn(sessions, id) ? sessions[id] : undefined) ?? [];

const isSame = (a: Moment, b: Moment): boolean => a.at === b.at && a.isSign === b.isSign && a.screen === b.screen;

/** Puts a moment in its place, behind others of its time; the same once more changes nothing. */
export const withMoment = (session: Session, moment: Moment): Session => {
  const place = session.findLastIndex(({ at }) => at <= moment.at) + 1;
  const before = session[place - 1];
  if (before !== undefined && isSame(before, moment)) return session;
  return session.toSpliced(place, 0, moment).slice(-MAX_MOMENTS);
};

/**
 * Until when (exclusive) the sign at `index` holds, as far as is known at `now`: until the session's next moment, if
 * that belongs to it; else the session lapses, and then was live only until the sign itself.
 */
const endOfSign = (session: Session, index: number, now: Millis): Millis => {
  const sign = session[index];
  if (sign === undefined) return -Infinity;
  const lapse = sign.at + SESSION_TTL;
  const next = session[index + 1];
  if (next !== undefined) return next.at <= lapse ? next.at : sign.at;
  return now >= lapse ? sign.at : lapse;
};

const isLive = (session: Session, now: Millis): boolean => {
  const last = session.at(-1);
  return last?.isSign === true && now < last.at + SESSION_TTL;
};

/** When the session was last live; null if it never was, or is. */
const endOf = (session: Session, now: Millis): Millis | null => {
  const index = session.findLastIndex(({ isSign }) => isSign);
  return index === -1 || isLive(session, now) ? null : endOfSign(session, index, now);
};

const greatest = (values: readonly (Millis | null)[]): Millis | null =>
  values.reduce((most, value) => (value !== null && (most === null || value > most) ? value : most), null);

/** Whether any session is live, since when none is, and what is on the screens of those that are. */
export const whereabouts = (row: PresenceRow, now: Millis) => {
  const sessions = Object.values(row.sessions);
  const live = sessions.filter((session) => isLive(session, now));
  const screens = live.flatMap((session) => session.at(-1)?.screen ?? []);
  return {
    isOnline: live.length > 0,
    awaySince: greatest([row.awaySince, ...sessions.map((session) => endOf(session, now))]),
    screens: [...new Set(screens)].toSorted(),
  };
};

/** Whether a live session had the conversation on screen then, as far as is known at `now`. */
export const attends = (row: PresenceRow, conversation: ConversationId, since: Millis, now: Millis): boolean =>
  Object.values(row.sessions).some((session) => {
    const index = session.findLastIndex(({ at, isSign }) => isSign && at <= since);
    return session[index]?.screen === conversation && since < endOfSign(session, index, now);
  });

/** When the first session lapses that is live as of the row's time. */
export const nextLapse = ({ sessions, asOf }: PresenceRow): Millis | null => {
  const lapses = Object.values(sessions).flatMap((session) =>
    isLive(session, asOf) ? [(session.at(-1)?.at ?? 0) + SESSION_TTL] : [],
  );
  return lapses.length === 0 ? null : Math.min(...lapses);
};

/** Forgets sessions that ended so long ago that no late record can change what they say. */
export const forgetful = (row: PresenceRow): PresenceRow => {
  const ended = Object.entries(row.sessions)
    .filter(([, session]) => !isLive(session, row.asOf))
    .map(([id, session]) => ({ id, last: session.at(-1)?.at ?? 0, end: endOf(session, row.asOf) }))
    .toSorted((a, b) => a.last - b.last);
  const surplus = Object.keys(row.sessions).length - MAX_SESSIONS;
  const gone = ended.filter(({ last }, index) => index < surplus || last < row.asOf - LATENESS - 2 * SESSION_TTL);
  if (gone.length === 0) return row;
  const ids = new Set(gone.map(({ id }) => id));
  const sessions = Object.fromEntries(Object.entries(row.sessions).filter(([id]) => !ids.has(id)));
  return { ...row, sessions, awaySince: greatest([row.awaySince, ...gone.map(({ end }) => end)]) };
};

/** From when on a new moment of a session may change what was attended: from itself, or from the lapse that it undoes. */
export const changesFrom = (session: Session, at: Millis, asOf: Millis): Millis => {
  const before = session.findLast((moment) => moment.isSign && moment.at <= at);
  const isUndone = before !== undefined && asOf >= before.at + SESSION_TTL && at <= before.at + SESSION_TTL;
  return isUndone ? before.at : at;
};

/** The signs that lapse between two times. */
export const lapsing = (row: PresenceRow, from: Millis, until: Millis): readonly Moment[] =>
  Object.values(row.sessions).flatMap((session) => {
    const last = session.at(-1);
    return last !== undefined && isLive(session, from) && !isLive(session, until) ? [last] : [];
  });
