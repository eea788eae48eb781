import type { Change, ConversationRow, Participation } from "../domain/conversation-rows.ts";
import type { UserId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import type { Millis } from "../platform/contract/time.ts";

/** Changes of participants that are remembered for that. */
const MAX_CHANGES = 200;
/** People who left and are remembered. */
const MAX_DEPARTED = 1_000;

/** How somebody takes part by now. */
export const participationOf = ({ participants }: ConversationRow, user: UserId): Participation | null =>
  participants.find(({ userId }) => userId === user) ?? null;

/**
 * How somebody took part then: a change of that very moment has been made.
 * @param now how they take part by now
 */
export const participationAt = (
  { changes }: ConversationRow,
  user: UserId,
  at: Millis,
  now: Participation | null,
): Participation | null => {
  if ((changes[changes.length - 1]?.at ?? -Infinity) <= at) return now;
  const own = changes.filter(({ userId }) => userId === user);
  const last = own.findLast((change) => change.at <= at);
  if (last !== undefined) return last.now;
  const [first] = own;
  return first === undefined ? now : first.before;
};

/** Since when nothing is forgotten of how somebody took part. */
export const knownSince = (row: ConversationRow, user: UserId): Millis => {
  const first = row.changes.find(({ userId }) => userId === user);
  return first === undefined ? (participationOf(row, user)?.since ?? Infinity) : (first.before?.since ?? first.at);
};

/** Those who took part lately, and don't any more. A user id may be any text, `constructor` too. */
export const formerly = ({ changes, departed }: ConversationRow): readonly UserId[] => {
  const some = changes.filter(({ userId }) => Object.hasOwn(departed, userId));
  return some.length === 0 ? nobody : [...new Set(some.map(({ userId }) => userId))];
};

const nobody: readonly UserId[] = [];

/** All who take part, or did lately. */
export const everybody = (row: ConversationRow): readonly UserId[] => [
  ...row.participants.map(({ userId }) => userId),
  ...formerly(row),
];

/**
 * A row in which somebody takes part so from a time on; until the next change, if there is one already. What comes so
 * late that changes between may be forgotten changes nothing.
 */
export const withChange = (
  row: ConversationRow,
  userId: UserId,
  at: Millis,
  now: Participation | null,
  loggedAt: Millis,
): ConversationRow => {
  const known = participationOf(row, userId);
  const last = lastChangeOf(row, userId, known);
  if (at <= loggedAt - LATENESS && last > at) return row;
  const place = row.changes.findLastIndex((other) => other.at <= at) + 1;
  const before = participationAt(row, userId, at, known);
  const changes = [...row.changes.slice(0, place), { userId, at, before, now }, ...row.changes.slice(place)];
  const next = place + 1 + changes.slice(place + 1).findIndex((other) => other.userId === userId);
  const following = next > place ? changes[next] : undefined;
  if (following !== undefined) changes[next] = { ...following, before: now };
  const remembered = changes.slice(firstRemembered(changes, loggedAt));
  if (following !== undefined || last > at) return { ...row, changes: remembered };
  const others = known === null ? row.participants : row.participants.filter((other) => other.userId !== userId);
  const participants = now === null ? others : [...others, { userId, ...now }];
  const departed =
    now === null || Object.hasOwn(row.departed, userId)
      ? withDeparture(row, userId, now === null ? at : null)
      : row.departed;
  return { ...row, changes: remembered, participants, departed };
};

/** Place of the first change that a late record may still concern; they are in the order of their times. */
const firstRemembered = (changes: readonly Change[], loggedAt: Millis): number => {
  const first = changes.findIndex(({ at }) => at > loggedAt - LATENESS);
  return first === -1 ? changes.length : Math.max(first, changes.length - MAX_CHANGES);
};

const withDeparture = ({ departed }: ConversationRow, user: UserId, at: Millis | null): ConversationRow["departed"] => {
  const others = Object.entries(departed).filter(([other]) => other !== user);
  return Object.fromEntries(at === null ? others : [...others, [user, at] as const].slice(-MAX_DEPARTED));
};

/** @param known how they take part by now */
const lastChangeOf = ({ departed }: ConversationRow, user: UserId, known: Participation | null): Millis =>
  known?.since ?? (Object.hasOwn(departed, user) ? (departed[user] ?? -Infinity) : -Infinity);

export const isSame = (a: Participation | null, b: Participation | null): boolean =>
  a?.access === b?.access && a?.notify === b?.notify;

/** Why somebody who takes part like this is not told of a message; null: they may be. */
export const exclusion = (participation: Participation | null, isMentioned: boolean): string | null => {
  if (participation === null) return "not_participant";
  if (participation.access === "NONE") return "no_access";
  if (participation.notify === "NONE") return "muted";
  return participation.notify === "MENTIONS_ONLY" && !isMentioned ? "not_mentioned" : null;
};
