/** Local time: quiet hours, midnights, and changes of the clock. */
import { Temporal } from "temporal-polyfill";

import type { QuietHours } from "../../services/domain/records.ts";

function local(now: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
}

function minutes(time: string): number {
  const { hour, minute } = Temporal.PlainTime.from(time);
  return hour * 60 + minute;
}

/** Tells whether an instant is in quiet hours [from, to), which may wrap midnight. Equal times mean no quiet hours. */
export function isQuiet(hours: QuietHours, now: number, zone: string): boolean {
  const { hour, minute } = local(now, zone);
  const time = hour * 60 + minute;
  const [from, to] = [minutes(hours.from), minutes(hours.to)];
  return from <= to ? from <= time && time < to : from <= time || time < to;
}

/** The latest local midnight. */
export function midnight(now: number, zone: string): number {
  return local(now, zone).startOfDay().epochMilliseconds;
}

/** Instants after which quiet hours, or the day, may have ended: at least all of them before the second midnight. */
export function localFlips(hours: QuietHours | null, now: number, zone: string): readonly number[] {
  const here = local(now, zone);
  const flips = [0, 1, 2].flatMap((days) => {
    const date = here.toPlainDate().add({ days });
    const starts = [date.toZonedDateTime(zone).epochMilliseconds];
    if (hours === null) return starts;
    const end = date.toPlainDateTime(Temporal.PlainTime.from(hours.to));
    // A clock that is put back shows the time twice.
    const ends = (["earlier", "later"] as const).map(
      (disambiguation) => end.toZonedDateTime(zone, { disambiguation }).epochMilliseconds,
    );
    return [...starts, ...ends];
  });
  const transition = here.getTimeZoneTransition("next");
  return transition === null ? flips : [...flips, transition.epochMilliseconds];
}
