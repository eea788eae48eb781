/** The clauses of When. */
import type { QuietHours } from "../../services/domain/records.ts";
import type { SettingsValue } from "./history.ts";
import type { Known } from "./known.ts";
import { isQuiet, localFlips, midnight } from "./local.ts";
import type { Missed, Standing } from "./missed.ts";
import { attended, awaySince, isOnline, isSign, sessionTtl, type Stretch } from "./sessions.ts";

/** The reason why nobody is told of missed messages yet, in the page's codes. */
export type Held = "online" | "timeout" | "settle" | "cooldown" | "quiet_hours" | "daily_cap";

/** A notification by the judge. */
export interface Told {
  readonly at: number;
  readonly about: readonly Missed[];
  readonly conversations: ReadonlySet<string>;
}

/** The judge's view of one user at an instant. */
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

/** The settings of a user by the known records. */
export function settingsOf(known: Known): Required<SettingsValue> {
  const role = known.users.at(-1)?.value?.role ?? "default";
  const latest = (key: string): SettingsValue | null =>
    known.settings.findLast((revision) => revision.key === key)?.value ?? null;
  return { ...defaults, ...(latest(role) ?? latest("default")) };
}

/** The time zone of a user's days and quiet hours. */
export function zoneOf(known: Known, hours: QuietHours | null): string {
  return known.users.at(-1)?.value?.timezone ?? hours?.timezone ?? "UTC";
}

/** The end of the last notification's cooldown. */
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

/** The time at which a conversation with missed messages is due. */
function dueAt(missed: readonly Missed[], { live, settings }: View): number {
  const since = missed[0]!.since;
  return (settings.whileOnline === "notify" ? since : Math.max(since, awaySince(live))) + ms(settings.timeout);
}

/** The time at which it is settled. */
function settledAt(missed: readonly Missed[], view: View): number {
  const due = dueAt(missed, view);
  return Math.min(due + longestBurst, Math.max(due, missed.at(-1)!.since + ms(view.settings.settle)));
}

/**
 * The reasons why a user isn't told of the missed messages in one conversation: the first clause of When that fails,
 * none where all hold. In quiet hours and over the cap both are reasons: neither ends before the other has.
 */
export function heldBy(conversationId: string, missed: readonly Missed[], view: View): readonly Held[] {
  const { now, live, told, settings, zone } = view;
  const present = settings.whileOnline === "notify" ? attended(live, conversationId, now) : isOnline(live);
  if (present) return ["online"];
  if (now < dueAt(missed, view)) return ["timeout"];
  if (now < settledAt(missed, view)) return ["settle"];
  if (now < cooledAt(conversationId, view)) return ["cooldown"];
  const held: Held[] = [];
  if (settings.quietHours !== null && isQuiet(settings.quietHours, now, zone)) held.push("quiet_hours");
  if (settings.dailyCap === null) return held;
  const today = midnight(now, zone);
  if (told.filter(({ at }) => at >= today).length >= settings.dailyCap) held.push("daily_cap");
  return held;
}

/** Missed messages by conversation, ordered by the first missed message, then by name. */
export function byConversation(missed: readonly Missed[]): readonly (readonly [string, readonly Missed[]])[] {
  return [...Map.groupBy(missed, ({ conversationId }) => conversationId)].toSorted(
    ([left, [one]], [right, [other]]) => one!.since - other!.since || (left < right ? -1 : 1),
  );
}

/** Every instant at which time alone may change a decision. */
export function flips(view: View): readonly number[] {
  const { known, missed, settings, zone } = view;
  const lapses = known.presence.filter(isSign).map(({ time }) => time + sessionTtl);
  if (missed.length === 0) return lapses;
  const perConversation = byConversation(missed).flatMap(([id, those]) => {
    const due = dueAt(those, view);
    return [due, due + longestBurst, settledAt(those, view), cooledAt(id, view)];
  });
  const isLocal = settings.quietHours !== null || settings.dailyCap !== null;
  return [...lapses, ...perConversation, ...(isLocal ? localFlips(settings.quietHours, view.now, zone) : [])];
}
