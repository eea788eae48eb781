import { milliseconds, type SettingsFields } from "../domain/role-settings.ts";
import { type Millis, MINUTE } from "../platform/contract/time.ts";
import { endOfHours, isTimeZone, localDay } from "../domain/zone.ts";
import type { Held, Inbox, Thread } from "./state.ts";

/** However long the burst, who is due is told so long after. */
const LONGEST_SETTLE: Millis = MINUTE;
const UTC = "UTC";

/** Why somebody isn't told now, and until when that is so if nothing happens; null: until something does. */
export interface Hold {
  readonly reason: Held;
  readonly until: Millis | null;
}

/** The first of the conditions of "When" (design/semantics.md) that doesn't hold at `at`; null if all do. */
export const holdOf = (inbox: Inbox, thread: Thread, settings: SettingsFields, at: Millis): Hold | null => {
  const whileOnline = settings.whileOnline === "notify";
  const isThere = whileOnline ? inbox.screens.includes(thread.conversationId) : inbox.isOnline;
  if (isThere) return { reason: "online", until: null };
  const { missed } = thread;
  const first = missed[0]?.since ?? at;
  const away = whileOnline ? -Infinity : (inbox.awaySince ?? -Infinity);
  const due = Math.max(first, away) + milliseconds(settings.timeout);
  if (at < due) return { reason: "timeout", until: due };
  const latest = missed[missed.length - 1]?.since ?? first;
  const settled = Math.min(due + LONGEST_SETTLE, Math.max(due, latest + milliseconds(settings.settle)));
  if (at < settled) return { reason: "settle", until: settled };
  const isByUser = settings.group === "recipient";
  const readAt = isByUser ? inbox.readAt : thread.readAt;
  const back = Math.max(inbox.signAt ?? -Infinity, readAt ?? -Infinity);
  const cooled = cooledDown(isByUser ? inbox.told : thread.toldAt, back, settings);
  if (at < cooled) return { reason: "cooldown", until: cooled };
  const loud = settings.quietHours === null ? at : endOfHours(at, zoneOf(inbox, settings), settings.quietHours);
  if (at < loud) return { reason: "quiet_hours", until: loud };
  if (settings.dailyCap === null) return null;
  const day = localDay(at, zoneOf(inbox, settings));
  const today = inbox.told.filter((time) => time >= day.start && time <= at).length;
  return today < settings.dailyCap ? null : { reason: "daily_cap", until: day.end };
};

/** When the next notification may follow those of the times `told`, in order, which count since the user was last `back`. */
const cooledDown = (told: readonly Millis[], back: Millis, { cooldown }: SettingsFields): Millis => {
  const last = told[told.length - 1] ?? -Infinity;
  if (last < back || last === -Infinity) return -Infinity; // a record comes before a notification of its time
  let count = 1;
  while ((told[told.length - 1 - count] ?? -Infinity) >= back && count < told.length) count++;
  const wait = Math.min(cooldown.max, cooldown.first * cooldown.factor ** (count - 1));
  return last + milliseconds(wait);
};

/** The recipient's own time zone, else the role's, else UTC; a name that nobody knows counts as none. */
export const zoneOf = ({ profile }: Inbox, { quietHours }: SettingsFields): string =>
  [profile?.user?.timezone ?? null, quietHours?.timezone ?? null].find((zone) => zone !== null && isTimeZone(zone)) ??
  UTC;
