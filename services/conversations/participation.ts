import type { Change, ConversationRow, Participation } from "../core/chat.ts";
import type { UserId } from "../core/ids.ts";
import { HOUR, type Millis } from "../core/time.ts";

/** A record may be so late, and is still taken as of its own time. */
export const LATENESS: Millis = HOUR;
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
  seen: Millis,
): ConversationRow => {
  if (at <= seen - LATENESS && lastChangeOf(row, userId) > at) return row;
  const change: Change = { userId, at, before: participationAt(row, userId, at, participationOf(row, userId)), now };
  const place = row.changes.findLastIndex((other) => other.at <= at) + 1;
  const next = row.changes.findIndex((other, index) => index >= place && other.userId === userId);
  const changes = row.changes
    .map((other, index) => (index === next ? { ...other, before: now } : other))
    .toSpliced(place, 0, change)
    .filter((other) => other.at > seen - LATENESS)
    .slice(-MAX_CHANGES);
  if (next !== -1 || lastChangeOf(row, userId) > at) return { ...row, changes };
  const others = row.participants.filter((other) => other.userId !== userId);
  const participants = now === null ? others : [...others, { userId, ...now }];
  const departed =
    now === null || Object.hasOwn(row.departed, userId)
      ? withDeparture(row, userId, now === null ? at : null)
      : row.departed;
  return { ...row, changes, participants, departed };
};

const withDeparture = ({ departed }: ConversationRow, user: UserId, at: Millis | null): ConversationRow["departed"] => {
  const others = Object.entries(departed).filter(([other]) => other !== user);
  return Object.fromEntries(at === null ? others : [...others, [user, at] as const].slice(-MAX_DEPARTED));
};

const lastChangeOf = (row: ConversationRow, user: UserId): Millis =>
  participationOf(row, user)?.since ??
  (Object.hasOwn(row.departed, user) ? (row.departed[user] ?? -Infinity) : -Infinity);

export const isSame = (a: Participation | null, b: Participation | null): boolean =>
  a?.access === b?.access && a?.notify === b?.notify;

/** Why somebody who takes part like this is not told of a message; null: they may be. */
export const exclusion = (participation: Participation | null, isMentioned: boolean): string | null => {
  if (participation === null) return "not_participant";
  if (participation.access === "NONE") return "no_access";
  if (participation.notify === "NONE") return "muted";
  return participation.notify === "MENTIONS_ONLY" && !isMentioned ? "not_mentioned" : null;
};

/** Whether the conversation was there then and has not been deleted since. */
export const wasOpen = ({ deletedAt, restoredAt }: ConversationRow, since: Millis): boolean =>
  deletedAt === null || (restoredAt !== null && since >= restoredAt);
