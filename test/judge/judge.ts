/**
 * The judge: who is told, about what, when, straight from the page. At each instant at which anything could be otherwise than
 * before, it looks at all that is known by then from scratch. It shares no code with the rule.
 *
 * Where the page is silent it reads: kind, origin and sender are those of SENT; whoever was JOINED or UPDATED last is a
 * participant; any message of one's own counts as one, whatever its kind or origin, also when it is deleted since; an edit
 * older than its SENT changes nothing; quiet hours from a time to the same time are none; grouped by recipient, a READ in any
 * conversation starts the cooldown over, and what they attend at the moment is told with the rest.
 */
import type { QuietHours } from "../../services/core/records.ts";
import type { Line, SettingsValue } from "./history.ts";
import { arrivals, concerning, type Known, knownAt } from "./known.ts";
import { isQuiet, localFlips, midnight } from "./local.ts";
import { type Missed, missedBy, nameOf } from "./missed.ts";
import { attended, awaySince, isOnline, isSign, sessionTtl, type Stretch, stretches } from "./sessions.ts";

/** A notification, as the judge would have it. */
export interface Triggered {
  readonly userId: string;
  /** Null where it is about several. */
  readonly conversationId: string | null;
  /** Ordered by since, then the message's time, then its place in the log. */
  readonly messageIds: readonly string[];
  readonly at: number;
}

/** A notification that went out is a fact of the judge's own. */
interface Told extends Triggered {
  readonly about: readonly Missed[];
}

/** What there is to see for one user at an instant. */
interface View {
  readonly now: number;
  readonly known: Known;
  readonly live: readonly Stretch[];
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

function settingsOf(known: Known): Required<SettingsValue> {
  const role = known.users.at(-1)?.value?.role ?? "default";
  const latest = (key: string): SettingsValue | null =>
    known.settings.findLast((revision) => revision.key === key)?.value ?? null;
  return { ...defaults, ...(latest(role) ?? latest("default")) };
}

function zoneOf(known: Known, hours: QuietHours | null): string {
  return known.users.at(-1)?.value?.timezone ?? hours?.timezone ?? "UTC";
}

function view(userId: string, known: Known, told: readonly Told[], now: number): View {
  const live = stretches(known.presence, now);
  const names = new Set(told.flatMap(({ about }) => about.map(nameOf)));
  const settings = settingsOf(known);
  const zone = zoneOf(known, settings.quietHours);
  return { now, known, live, missed: missedBy(userId, known, live, names), told, settings, zone };
}

/** When the last notification's cooldown is over. */
function cooledAt(conversationId: string, { known, told, settings }: View): number {
  const byRecipient = settings.group === "recipient";
  const last = told.filter(({ about }) => byRecipient || about.some((each) => each.conversationId === conversationId));
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
function settledAt(missed: readonly Missed[], seen: View): number {
  const due = dueAt(missed, seen);
  return Math.min(due + longestBurst, Math.max(due, missed.at(-1)!.since + ms(seen.settings.settle)));
}

/** All clauses of When, for what is missed in one conversation. */
function mayBeTold(conversationId: string, missed: readonly Missed[], seen: View): boolean {
  const { now, live, told, settings, zone } = seen;
  const present = settings.whileOnline === "notify" ? attended(live, conversationId, now) : isOnline(live);
  if (present) return false;
  if (now < dueAt(missed, seen) || now < settledAt(missed, seen) || now < cooledAt(conversationId, seen)) return false;
  if (settings.quietHours !== null && isQuiet(settings.quietHours, now, zone)) return false;
  if (settings.dailyCap === null) return true;
  const today = midnight(now, zone);
  return told.filter(({ at }) => at >= today).length < settings.dailyCap;
}

/** What is missed, by conversation: first the one whose first message was missed first, then by name. */
function byConversation(missed: readonly Missed[]): readonly (readonly [string, readonly Missed[]])[] {
  return [...Map.groupBy(missed, ({ conversationId }) => conversationId)].toSorted(
    ([left, [one]], [right, [other]]) => one!.since - other!.since || (left < right ? -1 : 1),
  );
}

/** The next notification at an instant, if there is one to be told. */
function next(userId: string, seen: View): Told | undefined {
  const found = byConversation(seen.missed).find(([id, missed]) => mayBeTold(id, missed, seen));
  if (found === undefined) return undefined;
  const about = seen.settings.group === "recipient" ? seen.missed : found[1];
  const several = new Set(about.map(({ conversationId }) => conversationId)).size > 1;
  const messageIds = about.map(({ messageId }) => messageId);
  return { userId, conversationId: several ? null : about[0]!.conversationId, messageIds, at: seen.now, about };
}

/** Every instant at which something known may come to look otherwise by time alone. */
function flips(seen: View): readonly number[] {
  const { known, missed, settings, zone } = seen;
  const lapses = known.presence.filter(isSign).map(({ time }) => time + sessionTtl);
  if (missed.length === 0) return lapses;
  const perConversation = byConversation(missed).flatMap(([id, those]) => {
    const due = dueAt(those, seen);
    return [due, due + longestBurst, settledAt(those, seen), cooledAt(id, seen)];
  });
  const isLocal = settings.quietHours !== null || settings.dailyCap !== null;
  return [...lapses, ...perConversation, ...(isLocal ? localFlips(settings.quietHours, seen.now, zone) : [])];
}

function judgeOne(userId: string, lines: readonly Line[], until: number): readonly Told[] {
  const all = concerning(lines, userId);
  const instants = arrivals(all);
  const told: Told[] = [];
  let now = instants[0] ?? Number.POSITIVE_INFINITY;
  while (now <= until) {
    const known = knownAt(all, now);
    let seen = view(userId, known, told, now);
    for (let notification = next(userId, seen); notification !== undefined; notification = next(userId, seen)) {
      told.push(notification);
      seen = view(userId, known, told, now);
    }
    now = [...instants, ...flips(seen)].reduce(
      (least, instant) => (instant > now && instant < least ? instant : least),
      Number.POSITIVE_INFINITY,
    );
  }
  return told;
}

/** Who is told, about what, when, up to and at an instant, from all that the log had by then: ordered by time, then user. */
export function judge(lines: readonly Line[], until: number): Triggered[] {
  const users = new Set(lines.flatMap(({ topic, value }) => (topic === "chat.participants" ? [value.userId] : [])));
  return [...users]
    .toSorted()
    .flatMap((userId) => judgeOne(userId, lines, until))
    .toSorted((left, right) => left.at - right.at)
    .map(({ userId, conversationId, messageIds, at }) => ({ userId, conversationId, messageIds, at }));
}
