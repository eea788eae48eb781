import { milliseconds, type SettingsFields } from "../core/settings.ts";
import { type Millis, MINUTE } from "../core/time.ts";
import { endOfHours, isTimeZone, localDay } from "../core/zone.ts";
import type { Held, Open, UserRow } from "./state.ts";

/** However long the burst, who is due is told so long after. */
const LONGEST_SETTLE: Millis = MINUTE;
const UTC = "UTC";

/** Why somebody isn't told now, and until when that is so if nothing happens; null: until something does. */
export interface Hold {
  readonly reason: Held;
  readonly until: Millis | null;
}

/** The first of the conditions of "When" (design/semantics.md) that doesn't hold at `at`; null if all do. */
export const holdOf = (row: UserRow, open: Open, settings: SettingsFields, at: Millis): Hold | null => {
  const whileOnline = settings.whileOnline === "notify";
  if (whileOnline ? row.screens.includes(open.conversationId) : row.isOnline) return { reason: "online", until: null };
  const due =
    Math.max(open.first, whileOnline ? -Infinity : (row.awaySince ?? -Infinity)) + milliseconds(settings.timeout);
  if (at < due) return { reason: "timeout", until: due };
  const settled = Math.min(due + LONGEST_SETTLE, Math.max(due, open.last + milliseconds(settings.settle)));
  if (at < settled) return { reason: "settle", until: settled };
  const { told, readAt } = settings.group === "recipient" ? row : open;
  const cooled = cooledDown(told, Math.max(row.signAt ?? -Infinity, readAt ?? -Infinity), settings);
  if (at < cooled) return { reason: "cooldown", until: cooled };
  const loud = settings.quietHours === null ? at : endOfHours(at, zoneOf(row, settings), settings.quietHours);
  if (at < loud) return { reason: "quiet_hours", until: loud };
  if (settings.dailyCap === null) return null;
  const day = localDay(at, zoneOf(row, settings));
  const today = row.told.filter((time) => time >= day.start && time <= at).length;
  return today < settings.dailyCap ? null : { reason: "daily_cap", until: day.end };
};

/** When the next notification may follow those of the times `told`, which count since the user was last `back`. */
const cooledDown = (told: readonly Millis[], back: Millis, { cooldown }: SettingsFields): Millis => {
  const since = told.filter((at) => at >= back); // a record comes before a notification of its time
  const last = since.at(-1);
  if (last === undefined) return -Infinity;
  const wait = Math.min(cooldown.max, cooldown.first * cooldown.factor ** (since.length - 1));
  return last + milliseconds(wait);
};

/** The recipient's own time zone, else the role's, else UTC; a name that nobody knows counts as none. */
const zoneOf = ({ timezone }: UserRow, { quietHours }: SettingsFields): string =>
  [timezone, quietHours?.timezone ?? null].find((zone) => zone !== null && isTimeZone(zone)) ?? UTC;
