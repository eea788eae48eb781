import type { Millis } from "../../contract/time.ts";

/** A pending event among others of its queue, in the order of log time. */
export interface Timed {
  readonly loggedAt: Millis;
  /** Number of keys that the event concerns. */
  readonly count: number;
  /** Events of its queue up to here, one for each key, since the lanes were claimed. */
  readonly total: number;
}

/** Number of pending events of a time up to `until`. */
export const countUntil = (waiting: readonly Timed[], until: Millis): number => {
  let [low, high] = [0, waiting.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((waiting[middle]?.loggedAt ?? Infinity) <= until) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Number of events in them, one for each key. */
const eventsUntil = (waiting: readonly Timed[], until: Millis): number => {
  const [first, last] = [waiting[0], waiting[countUntil(waiting, until) - 1]];
  return first === undefined || last === undefined ? 0 : last.total - first.total + first.count;
};

/** The least time by which `limit` events of all have come; `until`, where fewer come by that. */
export const timeOf = (all: readonly (readonly Timed[])[], until: Millis, limit: number): Millis => {
  const countAll = (time: Millis): number => all.reduce((sum, waiting) => sum + eventsUntil(waiting, time), 0);
  let low = Infinity;
  let high = -Infinity;
  for (const waiting of all) {
    low = Math.min(low, waiting[0]?.loggedAt ?? Infinity);
    high = Math.max(high, waiting.at(-1)?.loggedAt ?? -Infinity);
  }
  high = Math.min(high, until);
  if (countAll(high) < limit) return until;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (countAll(middle) >= limit) high = middle;
    else low = middle + 1;
  }
  return high;
};
