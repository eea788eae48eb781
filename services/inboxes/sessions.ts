import type { ConversationId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import { type Millis, SECOND } from "../platform/contract/time.ts";
import { type Inbox, type Moment, type Session } from "./state.ts";

/**
 * Time without a sign after which a session has lapsed. Records of a session that are no further apart belong together.
 */
export const SESSION_TTL: Millis = 45 * SECOND;

/** Moments of one session that are remembered. The oldest are merged where they are alike. */
const MAX_MOMENTS = 16;
/** Sessions of one user that are remembered. Beyond, the sessions that ended first are forgotten. */
const MAX_SESSIONS = 32;

type Moments = readonly Moment[];

const noMoments: Moments = [];

export const momentsOf = ({ sessions }: Inbox, id: string): Moments =>
  sessions.findLast(({ sessionId }) => sessionId === id)?.moments ?? noMoments;

/** The sessions with one of them replaced, as the last. */
export const withSession = (sessions: readonly Session[], session: Session): readonly Session[] => {
  const others = sessions.filter(({ sessionId }) => sessionId !== session.sessionId);
  others.push(session);
  return others;
};

/** Time of the last sign that a moment stands for. */
const lastSign = ({ at, until = at }: Moment): Millis => until;

/** Inserts a moment behind others of its time. A moment that is known already changes nothing. */
export const withMoment = (moments: Moments, moment: Moment): Moments => {
  const place = moments.findLastIndex(({ at }) => at <= moment.at) + 1;
  const before = moments[place - 1];
  if (before === undefined) return limited([moment, ...moments]);
  const last = lastSign(before);
  const isKnown = moment.at <= last && moment.isSign === before.isSign && moment.screen === before.screen;
  if (isKnown) return moments;
  if (moment.at >= last) return limited(moments.toSpliced(place, 0, moment));
  // The moment falls among signs remembered as one, and differs: the first and the last of them stay.
  return limited(moments.toSpliced(place - 1, 1, { ...before, until: moment.at }, moment, { ...before, at: last }));
};

/** Limits the moments to MAX_MOMENTS: merges the oldest two where they are alike, else drops the oldest. */
const limited = (moments: Moments): Moments => {
  if (moments.length <= MAX_MOMENTS) return moments;
  const [first, second, ...others] = moments;
  if (first === undefined || second === undefined) return moments;
  const areAlike = first.isSign && second.isSign && first.screen === second.screen;
  const isOne = areAlike && second.at <= lastSign(first) + SESSION_TTL;
  return limited(isOne ? [{ ...first, until: lastSign(second) }, ...others] : [second, ...others]);
};

/**
 * The end (exclusive) of the sign at `index`, as far as is known at `now`: the session's next moment, if that belongs to
 * the sign. Else the session lapses, and was live only until the sign itself.
 */
const endOfSign = (moments: Moments, index: number, now: Millis): Millis => {
  const sign = moments[index];
  if (sign === undefined) return -Infinity;
  const last = lastSign(sign);
  const lapse = last + SESSION_TTL;
  const next = moments[index + 1];
  if (next !== undefined) return next.at <= lapse ? next.at : last;
  return now >= lapse ? last : lapse;
};

const lastOf = ({ moments }: Session): Moment | undefined => moments[moments.length - 1];

const isLive = (session: Session, now: Millis): boolean => {
  const last = lastOf(session);
  return last !== undefined && last.isSign && now < last.at + SESSION_TTL;
};

/** Time until which a session was live; null: it never was, or still is. */
const endOf = (session: Session, now: Millis): Millis | null => {
  if (isLive(session, now)) return null;
  const index = session.moments.findLastIndex(({ isSign }) => isSign);
  return index === -1 ? null : endOfSign(session.moments, index, now);
};

/** The later of two times, where null is never. */
const later = (a: Millis | null, b: Millis | null): Millis | null => (a === null || (b !== null && b > a) ? b : a);

/**
 * Derives `isOnline`, `awaySince`, `screens` and `lapsesAt` from the sessions as of now. Returns whether a hold may change
 * by it: any of the first three differs.
 */
export const deriveOnline = (inbox: Inbox, now: Millis): boolean => {
  let isOnline = false;
  let lapsesAt: Millis | null = null;
  let awaySince = inbox.endedAt;
  let screens = noScreens;
  for (const session of inbox.sessions) {
    const last = lastOf(session);
    if (last?.isSign !== true || now >= last.at + SESSION_TTL) {
      awaySince = later(awaySince, endOf(session, now));
      continue;
    }
    isOnline = true;
    lapsesAt = Math.min(lapsesAt ?? Infinity, last.at + SESSION_TTL);
    if (last.screen !== null && !screens.includes(last.screen)) screens = [...screens, last.screen].toSorted();
  }
  const hasChanged =
    isOnline !== inbox.isOnline ||
    awaySince !== inbox.awaySince ||
    screens.length !== inbox.screens.length ||
    screens.some((screen, index) => screen !== inbox.screens[index]);
  inbox.isOnline = isOnline;
  inbox.awaySince = awaySince;
  inbox.lapsesAt = lapsesAt;
  if (hasChanged) inbox.screens = screens;
  return hasChanged;
};

const noScreens: readonly ConversationId[] = [];

/** Tells whether a live session had the conversation on screen at `since`, as far as is known at `now`. */
export const attends = (
  { sessions, signAt }: Inbox,
  conversation: ConversationId,
  since: Millis,
  now: Millis,
): boolean => {
  if (signAt === null || signAt + SESSION_TTL <= since) return false;
  for (const session of sessions) {
    const { moments } = session;
    if ((lastOf(session)?.at ?? 0) + SESSION_TTL <= since) continue;
    const index = moments.findLastIndex(({ at, isSign }) => isSign && at <= since);
    if (moments[index]?.screen === conversation && since < endOfSign(moments, index, now)) return true;
  }
  return false;
};

/** Forgets sessions that ended too long ago for a late record to change them, and the oldest beyond MAX_SESSIONS. */
export const forgetSessions = (inbox: Inbox, now: Millis): void => {
  const { sessions } = inbox;
  const surplus = sessions.length - MAX_SESSIONS;
  const isOld = (session: Session): boolean => (lastOf(session)?.at ?? 0) < now - LATENESS - 2 * SESSION_TTL;
  if (surplus <= 0 && !sessions.some(isOld)) return;
  const ended = sessions
    .filter((session) => !isLive(session, now))
    .toSorted((a, b) => (lastOf(a)?.at ?? 0) - (lastOf(b)?.at ?? 0));
  const gone = new Set(ended.filter((session, index) => index < surplus || isOld(session)));
  if (gone.size === 0) return;
  for (const session of gone) inbox.endedAt = later(inbox.endedAt, endOf(session, now));
  inbox.sessions = sessions.filter((session) => !gone.has(session));
};

/**
 * Earliest time at which a new moment of a session may change attendance: its own, or that of the lapse that it undoes.
 */
export const changesFrom = (moments: Moments, at: Millis, asOf: Millis): Millis => {
  const before = moments.findLast((moment) => moment.isSign && moment.at <= at);
  if (before === undefined) return at;
  const last = Math.min(lastSign(before), at);
  const isUndone = asOf >= last + SESSION_TTL && at <= last + SESSION_TTL;
  return isUndone ? last : at;
};

/** Time of the earliest sign that lapses between two times; null: none does. */
export const earliestLapsed = ({ sessions }: Inbox, from: Millis, until: Millis): Millis | null => {
  let earliest: Millis | null = null;
  for (const session of sessions) {
    if (!isLive(session, from) || isLive(session, until)) continue;
    const at = lastOf(session)?.at ?? 0;
    if (earliest === null || at < earliest) earliest = at;
  }
  return earliest;
};
