/** The clauses of Presence. */
import type { PresenceValue } from "./history.ts";
import type { Fact } from "./known.ts";

/** Milliseconds that a session is live after a sign. */
export const sessionTtl = 45_000;

/** A time [start, end) for which a session was live. A session that is live still has no end. */
export interface Stretch {
  readonly end: number;
  readonly signs: readonly Fact<PresenceValue>[];
}

/** Tells whether a record is a sign of life. */
export function isSign({ value }: Fact<PresenceValue>): boolean {
  return value.type === "ONLINE" || value.type === "HEARTBEAT";
}

/** The stretches of one session at an instant, from its records in order. */
function stretchesOf(records: readonly Fact<PresenceValue>[], now: number): readonly Stretch[] {
  const done: Stretch[] = [];
  let signs: Fact<PresenceValue>[] = [];
  const finish = (end: number): void => {
    if (signs.length > 0) done.push({ end, signs });
    signs = [];
  };
  for (const record of records) {
    const latest = signs.at(-1)?.time;
    // Records further apart than the session's time don't belong together: the session lapsed, and was live until its
    // latest sign.
    if (latest !== undefined && record.time - latest > sessionTtl) finish(latest);
    if (isSign(record)) signs.push(record);
    else finish(record.time);
  }
  const latest = signs.at(-1)?.time;
  if (latest !== undefined) finish(now < latest + sessionTtl ? Number.POSITIVE_INFINITY : latest);
  return done;
}

/** The stretches of all of a user's sessions at an instant. */
export function stretches(presence: readonly Fact<PresenceValue>[], now: number): readonly Stretch[] {
  const sessions = Map.groupBy(
    presence.filter((record) => isSign(record) || record.value.type === "OFFLINE"),
    ({ value }) => value.sessionId,
  );
  return [...sessions.values()].flatMap((records) => stretchesOf(records, now));
}

/** Tells whether a user is online at the instant of the stretches. */
export function isOnline(all: readonly Stretch[]): boolean {
  return all.some(({ end }) => end === Number.POSITIVE_INFINITY);
}

/** The time since which a user who isn't online is away: since ever, if they never were online. */
export function awaySince(all: readonly Stretch[]): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...all.map(({ end }) => end));
}

/** Tells whether a user attended a conversation at a time: a session was live, with it on screen by its latest sign. */
export function attended(all: readonly Stretch[], conversationId: string, time: number): boolean {
  return all.some(
    ({ end, signs }) =>
      time < end && signs.findLast((sign) => sign.time <= time)?.value.conversationId === conversationId,
  );
}
