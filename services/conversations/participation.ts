import type { Change, ConversationRow, Participation } from "../domain/conversation-rows.ts";
import type { UserId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import type { Millis } from "../platform/contract/time.ts";

/** Changes of participation that are remembered for late records. */
const MAX_CHANGES = 200;
/** Former participants that are remembered. */
const MAX_DEPARTED = 1_000;

/** A user's participation now; null: the user takes no part. */
export const participationOf = ({ participants }: ConversationRow, user: UserId): Participation | null =>
  participants.find(({ userId }) => userId === user) ?? null;

/**
 * A user's participation at a time, after the changes of that time.
 * @param now the user's participation now
 */
export const participationAt = (
  { changes }: ConversationRow,
  user: UserId,
  at: Millis,
  now: Participation | null,
): Participation | null => {
  if ((changes[changes.length - 1]?.at ?? -Infinity) <= at) return now;
  const byUser = changes.filter(({ userId }) => userId === user);
  const last = byUser.findLast((change) => change.at <= at);
  if (last !== undefined) return last.now;
  const [first] = byUser;
  return first === undefined ? now : first.before;
};

/** Time since which every change of a user's participation is remembered. */
export const knownSince = (row: ConversationRow, user: UserId): Millis => {
  const first = row.changes.find(({ userId }) => userId === user);
  return first === undefined ? (participationOf(row, user)?.since ?? Infinity) : (first.before?.since ?? first.at);
};

/** Users who left within the remembered changes. A user id may be any text, `constructor` too. */
export const formerly = ({ changes, departed }: ConversationRow): readonly UserId[] => {
  const departures = changes.filter(({ userId }) => Object.hasOwn(departed, userId));
  return departures.length === 0 ? nobody : [...new Set(departures.map(({ userId }) => userId))];
};

const nobody: readonly UserId[] = [];

/** Participants, and users who left lately. */
export const everybody = (row: ConversationRow): readonly UserId[] => [
  ...row.participants.map(({ userId }) => userId),
  ...formerly(row),
];

/**
 * Changes a user's participation from a time on, until the user's next known change. A change older than LATENESS is
 * ignored if a later one is known: changes between the two may be forgotten.
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
  const index = row.changes.findLastIndex((other) => other.at <= at) + 1;
  const before = participationAt(row, userId, at, known);
  const changes = [...row.changes.slice(0, index), { userId, at, before, now }, ...row.changes.slice(index)];
  const next = index + 1 + changes.slice(index + 1).findIndex((other) => other.userId === userId);
  const following = next > index ? changes[next] : undefined;
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

/** Index of the first change that a late record may still concern. Changes are in the order of their times. */
const firstRemembered = (changes: readonly Change[], loggedAt: Millis): number => {
  const first = changes.findIndex(({ at }) => at > loggedAt - LATENESS);
  return first === -1 ? changes.length : Math.max(first, changes.length - MAX_CHANGES);
};

const withDeparture = ({ departed }: ConversationRow, user: UserId, at: Millis | null): ConversationRow["departed"] => {
  const others = Object.entries(departed).filter(([other]) => other !== user);
  return Object.fromEntries(at === null ? others : [...others, [user, at] as const].slice(-MAX_DEPARTED));
};

/** Time of a user's latest change of participation. @param known the user's participation now */
const lastChangeOf = ({ departed }: ConversationRow, user: UserId, known: Participation | null): Millis =>
  known?.since ?? (Object.hasOwn(departed, user) ? (departed[user] ?? -Infinity) : -Infinity);

export const isSame = (a: Participation | null, b: Participation | null): boolean =>
  a?.access === b?.access && a?.notify === b?.notify;

/** Reason why a participation excludes a message from being missed; null: it does not. */
export const exclusion = (participation: Participation | null, isMentioned: boolean): string | null => {
  if (participation === null) return "not_participant";
  if (participation.access === "NONE") return "no_access";
  if (participation.notify === "NONE") return "muted";
  return participation.notify === "MENTIONS_ONLY" && !isMentioned ? "not_mentioned" : null;
};
