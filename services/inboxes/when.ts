import { milliseconds, type SettingsFields } from "../domain/role-settings.ts";
import { type Millis, MINUTE } from "../platform/contract/time.ts";
import { endOfHours, isTimeZone, localDay } from "../domain/zone.ts";
import type { Held, Inbox, Thread } from "./state.ts";

/** Longest time for which a burst of messages puts off a notification that is due. */
const LONGEST_SETTLE: Millis = MINUTE;
const UTC = "UTC";

/** A condition that holds a notification back. */
export interface Hold {
  readonly reason: Held;
  /** Time at which the condition may end by time alone; null: only an event ends it. */
  readonly until: Millis | null;
}

/** The first unmet condition of "When" (services/inboxes/README.md) at a time; null: all are met. */
export const holdOf = (inbox: Inbox, thread: Thread, settings: SettingsFields, at: Millis): Hold | null => {
  const whileOnline = settings.whileOnline === "notify";
  const isPresent = whileOnline ? inbox.screens.includes(thread.conversationId) : inbox.isOnline;
  if (isPresent) return { reason: "online", until: null };
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

/**
 * Time at which the cooldown ends. Notifications at the times `told`, in order, count since the user was last `back`.
 */
const cooledDown = (told: readonly Millis[], back: Millis, { cooldown }: SettingsFields): Millis => {
  const last = told[told.length - 1] ?? -Infinity;
  if (last < back || last === -Infinity) return -Infinity; // a record comes before a notification of its time
  let count = 1;
  while ((told[told.length - 1 - count] ?? -Infinity) >= back && count < told.length) count++;
  const wait = Math.min(cooldown.max, cooldown.first * cooldown.factor ** (count - 1));
  return last + milliseconds(wait);
};

/** The recipient's own time zone, else the role's, else UTC. A name that is no IANA time zone counts as none. */
export const zoneOf = ({ profile }: Inbox, { quietHours }: SettingsFields): string =>
  [profile?.user?.timezone ?? null, quietHours?.timezone ?? null].find((zone) => zone !== null && isTimeZone(zone)) ??
  UTC;
