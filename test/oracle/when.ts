/** The clauses of When. */
import type { QuietHours } from "../../services/domain/records.ts";
import type { SettingsValue } from "./history.ts";
import type { Known } from "./known.ts";
import { isQuiet, localFlips, midnight } from "./local.ts";
import type { Missed, Standing } from "./missed.ts";
import { attended, awaySince, isOnline, isSign, sessionTtl, type Stretch } from "./sessions.ts";

/** Why nobody is told of what they missed yet, in the page's codes. */
export type Held = "online" | "timeout" | "settle" | "cooldown" | "quiet_hours" | "daily_cap";

/** A notification that went out: a fact of the judge's own. */
export interface Told {
  readonly at: number;
  readonly about: readonly Missed[];
  readonly conversations: ReadonlySet<string>;
}

/** What there is to see for one user at an instant. */
export interface View {
  readonly now: number;
  readonly known: Known;
  readonly live: readonly Stretch[];
  readonly standings: ReadonlyMap<string, Standing>;
  readonly missed: readonly Missed[];
  readonly told: readonly Told[];
  readonly settings: Required<SettingsValue>;
  readonly zone: string;
}

const defaults: Required<SettingsValue> = {
  timeout: 300,
  settle: 10,
  cooldown: { first: 900, factor: 2, max: 86_400 },
  whileOnline: "hold",
  group: "conversation",
  quietHours: null,
  dailyCap: null,
  emailEnabled: true,
  occurredAt: 0,
};

const longestBurst = 60_000;

function ms(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** The settings that hold for a user by what is known. */
export function settingsOf(known: Known): Required<SettingsValue> {
  const role = known.users.at(-1)?.value?.role ?? "default";
  const latest = (key: string): SettingsValue | null =>
    known.settings.findLast((revision) => revision.key === key)?.value ?? null;
  return { ...defaults, ...(latest(role) ?? latest("default")) };
}

/** The time zone by which a user's days and quiet hours are. */
export function zoneOf(known: Known, hours: QuietHours | null): string {
  return known.users.at(-1)?.value?.timezone ?? hours?.timezone ?? "UTC";
}

/** When the last notification's cooldown is over. */
function cooledAt(conversationId: string, { known, told, settings }: View): number {
  const byRecipient = settings.group === "recipient";
  const last = told.filter(({ conversations }) => byRecipient || conversations.has(conversationId));
  const resets = known.presence.filter(
    (record) =>
      isSign(record) ||
      (record.value.type === "READ" && (byRecipient || record.value.conversationId === conversationId)),
  );
  // Records of a time come before the timers of that time: a notification at a reset's time is the first after it.
  const count = last.filter(({ at }) => at >= (resets.at(-1)?.time ?? Number.NEGATIVE_INFINITY)).length;
  if (count === 0) return Number.NEGATIVE_INFINITY;
  const { first, factor, max } = settings.cooldown;
  return last.at(-1)!.at + ms(Math.min(first * factor ** (count - 1), max));
}

/** When a conversation with missed messages is due. */
function dueAt(missed: readonly Missed[], { live, settings }: View): number {
  const since = missed[0]!.since;
  return (settings.whileOnline === "notify" ? since : Math.max(since, awaySince(live))) + ms(settings.timeout);
}

/** When it is settled. */
function settledAt(missed: readonly Missed[], loggedAt: View): number {
  const due = dueAt(missed, loggedAt);
  return Math.min(due + longestBurst, Math.max(due, missed.at(-1)!.since + ms(loggedAt.settings.settle)));
}

/**
 * Why a user isn't told of what they missed in one conversation: the first clause of When that doesn't hold, none where
 * all do. Where it is both in quiet hours and over the cap it is either: neither ends before the other has.
 */
export function heldBy(conversationId: string, missed: readonly Missed[], loggedAt: View): readonly Held[] {
  const { now, live, told, settings, zone } = loggedAt;
  const present = settings.whileOnline === "notify" ? attended(live, conversationId, now) : isOnline(live);
  if (present) return ["online"];
  if (now < dueAt(missed, loggedAt)) return ["timeout"];
  if (now < settledAt(missed, loggedAt)) return ["settle"];
  if (now < cooledAt(conversationId, loggedAt)) return ["cooldown"];
  const held: Held[] = [];
  if (settings.quietHours !== null && isQuiet(settings.quietHours, now, zone)) held.push("quiet_hours");
  if (settings.dailyCap === null) return held;
  const today = midnight(now, zone);
  if (told.filter(({ at }) => at >= today).length >= settings.dailyCap) held.push("daily_cap");
  return held;
}

/** What is missed, by conversation: first the one whose first message was missed first, then by name. */
export function byConversation(missed: readonly Missed[]): readonly (readonly [string, readonly Missed[]])[] {
  return [...Map.groupBy(missed, ({ conversationId }) => conversationId)].toSorted(
    ([left, [one]], [right, [other]]) => one!.since - other!.since || (left < right ? -1 : 1),
  );
}

/** Every instant at which something known may come to look otherwise by time alone. */
export function flips(loggedAt: View): readonly number[] {
  const { known, missed, settings, zone } = loggedAt;
  const lapses = known.presence.filter(isSign).map(({ time }) => time + sessionTtl);
  if (missed.length === 0) return lapses;
  const perConversation = byConversation(missed).flatMap(([id, those]) => {
    const due = dueAt(those, loggedAt);
    return [due, due + longestBurst, settledAt(those, loggedAt), cooledAt(id, loggedAt)];
  });
  const isLocal = settings.quietHours !== null || settings.dailyCap !== null;
  return [...lapses, ...perConversation, ...(isLocal ? localFlips(settings.quietHours, loggedAt.now, zone) : [])];
}
