/** The clauses of Presence. */
import type { PresenceValue } from "./history.ts";
import type { Fact } from "./known.ts";

/** How long a session is live after a sign. */
export const sessionTtl = 45_000;

/** A time [start, end) for which a session was live; it has no end where it is live still. */
export interface Stretch {
  readonly end: number;
  readonly signs: readonly Fact<PresenceValue>[];
}

/** Whether a record is a sign that the user is there. */
export function isSign({ value }: Fact<PresenceValue>): boolean {
  return value.type === "ONLINE" || value.type === "HEARTBEAT";
}

/** The stretches of one session, as they look at an instant, from its records in order. */
function stretchesOf(records: readonly Fact<PresenceValue>[], now: number): readonly Stretch[] {
  const done: Stretch[] = [];
  let signs: Fact<PresenceValue>[] = [];
  const finish = (end: number): void => {
    if (signs.length > 0) done.push({ end, signs });
    signs = [];
  };
  for (const record of records) {
    const latest = signs.at(-1)?.time;
    // Records more than the session's time apart don't belong together: it lapsed, and was live until its latest sign only.
    if (latest !== undefined && record.time - latest > sessionTtl) finish(latest);
    if (isSign(record)) signs.push(record);
    else finish(record.time);
  }
  const latest = signs.at(-1)?.time;
  if (latest !== undefined) finish(now < latest + sessionTtl ? Number.POSITIVE_INFINITY : latest);
  return done;
}

/** All stretches of a user's sessions, as they look at an instant. */
export function stretches(presence: readonly Fact<PresenceValue>[], now: number): readonly Stretch[] {
  const sessions = Map.groupBy(
    presence.filter((record) => isSign(record) || record.value.type === "OFFLINE"),
    ({ value }) => value.sessionId,
  );
  return [...sessions.values()].flatMap((records) => stretchesOf(records, now));
}

/** Whether a user is online at the instant as of which the stretches are. */
export function isOnline(all: readonly Stretch[]): boolean {
  return all.some(({ end }) => end === Number.POSITIVE_INFINITY);
}

/** Since when a user who isn't online is away: since ever, if they never were online. */
export function awaySince(all: readonly Stretch[]): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...all.map(({ end }) => end));
}

/** Whether a user attended a conversation at a time: a session was live, with it on screen by its latest sign. */
export function attended(all: readonly Stretch[], conversationId: string, time: number): boolean {
  return all.some(
    ({ end, signs }) =>
      time < end && signs.findLast((sign) => sign.time <= time)?.value.conversationId === conversationId,
  );
}
