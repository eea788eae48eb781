import { Temporal } from "temporal-polyfill";
import { DAY, MAX_TIME, type Millis, MINUTE } from "../platform/contract/time.ts";

/** A stretch of time in which a zone's local time runs evenly. */
interface Stretch {
  readonly from: Millis;
  readonly until: Millis;
  /** Local time less UTC. */
  readonly offset: Millis;
}

/** Zones whose stretches are remembered: a look-up in the time zone database costs more than all else here. */
const MAX_ZONES = 1_000;
const known = new Map<string, Stretch>();
const NANOSECONDS = 1_000_000;

/** Tells whether the IANA time zone database, as this Node has it, knows a name. */
export const isTimeZone = (name: string): boolean => {
  try {
    return stretchOf(name, 0) !== undefined;
  } catch {
    return false;
  }
};

/** Finds the stretch that holds a moment. Throws RangeError where the zone is unknown. */
const stretchOf = (zone: string, at: Millis): Stretch => {
  const remembered = known.get(zone);
  if (remembered !== undefined && remembered.from <= at && at < remembered.until) return remembered;
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  const found = {
    // The search starts a moment later, so that a change at this very moment begins the stretch.
    from:
      local.add({ milliseconds: at < MAX_TIME ? 1 : 0 }).getTimeZoneTransition("previous")?.epochMilliseconds ??
      -Infinity,
    until: local.getTimeZoneTransition("next")?.epochMilliseconds ?? Infinity,
    offset: local.offsetNanoseconds / NANOSECONDS,
  };
  if (known.size >= MAX_ZONES) known.clear();
  known.set(zone, found);
  return found;
};

/** Milliseconds of the local day, 0 at 00:00. */
const timeOfDay = (at: Millis, { offset }: Stretch): Millis => (((at + offset) % DAY) + DAY) % DAY;

const parse = (clock: string): Millis => {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return (hours * 60 + minutes) * MINUTE;
};

/** Local times [from, to) as HH:MM. `to` is before `from` where the hours wrap midnight. Equal times hold never. */
export interface Hours {
  readonly from: string;
  readonly to: string;
}

/** Finds the first moment from `at` on whose local time is outside of the hours; `at` itself if it is outside. */
export const endOfHours = (at: Millis, zone: string, { from, to }: Hours): Millis => {
  const [start, end] = [parse(from), parse(to)];
  const isWithin = (time: Millis): boolean =>
    start <= end ? start <= time && time < end : time >= start || time < end;
  for (let moment = at; ;) {
    const stretch = stretchOf(zone, moment);
    const time = timeOfDay(moment, stretch);
    if (!isWithin(time)) return moment;
    const over = moment + ((end - time + DAY) % DAY);
    if (over < stretch.until) return over;
    moment = stretch.until; // the clocks change meanwhile
  }
};

/** From here on the next local day may be beyond the last one that `Date` has. */
const LAST_DAYS: Millis = MAX_TIME - 2 * DAY;

/** The first moment of the local day that `at` lies in, and of the next day: Infinity at the end of all dates. */
export const localDay = (at: Millis, zone: string): { readonly start: Millis; readonly end: Millis } => {
  const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).startOfDay();
  const end = at > LAST_DAYS ? Infinity : start.add({ days: 1 }).startOfDay().epochMilliseconds;
  return { start: start.epochMilliseconds, end };
};
