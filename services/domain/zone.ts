import { Temporal } from "temporal-polyfill";
import { DAY, MAX_TIME, type Millis, MINUTE } from "../platform/contract/time.ts";

/** A stretch of time in which a zone's local time runs evenly. */
interface Stretch {
  readonly from: Millis;
  readonly until: Millis;
  /** Local time less UTC. */
  readonly offset: Millis;
}

/** Zones whose stretches are remembered: asking the time zone database costs more than all else here. */
const MAX_ZONES = 1_000;
const known = new Map<string, Stretch>();
const NANOSECONDS = 1_000_000;

/** Whether the IANA time zone database (as this Node has it) knows the name. */
export const isTimeZone = (name: string): boolean => {
  try {
    return stretchOf(name, 0) !== undefined;
  } catch {
    return false;
  }
};

const stretchOf = (zone: string, at: Millis): Stretch => {
  const had = known.get(zone);
  if (had !== undefined && had.from <= at && at < had.until) return had;
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  const found = {
    // Asked from a moment after, so that a change at this very moment is the stretch's beginning.
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

/** The local times [from, to) as HH:MM; before `from` where they wrap midnight; the same: never. */
export interface Hours {
  readonly from: string;
  readonly to: string;
}

/** The first moment from `at` on whose local time is outside of the hours; `at` itself if it is. */
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

/** From here on there may be no next local day that `Date` has. */
const LAST_DAYS: Millis = MAX_TIME - 2 * DAY;

/** The first moment of the local day that `at` lies in, and of the one after it: Infinity at the end of all dates. */
export const localDay = (at: Millis, zone: string): { readonly start: Millis; readonly end: Millis } => {
  const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).startOfDay();
  const end = at > LAST_DAYS ? Infinity : start.add({ days: 1 }).startOfDay().epochMilliseconds;
  return { start: start.epochMilliseconds, end };
};
