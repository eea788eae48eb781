/**
 * The judge: who is told, about what, when, and why nobody else is, straight from the page. At each instant at which
 * anything could be otherwise than before, it looks at all that is known by then from scratch. It shares no code with the
 * rule.
 *
 * Where the page is silent it reads: kind, origin and sender are those of SENT; whoever was JOINED or UPDATED last is a
 * participant; any message of one's own counts as one, whatever its kind or origin, also when it is deleted since; an edit
 * older than its SENT changes nothing; quiet hours from a time to the same time are none; grouped by recipient, a READ in any
 * conversation starts the cooldown over, and what they attend at the moment is told with the rest.
 */
import type { Line } from "./history.ts";
import { concerning, type Known } from "./known.ts";
import { type Memory, perfect } from "./memory.ts";
import { missedOf, nameOf, type Standing, standings } from "./missed.ts";
import { stretches } from "./sessions.ts";
import { byConversation, flips, type Held, heldBy, settingsOf, type Told, type View, zoneOf } from "./when.ts";

/** A notification, as the judge would have it. */
export interface Triggered {
  readonly userId: string;
  /** Null where it is about several. */
  readonly conversationId: string | null;
  /** Ordered by since, then the message's time, then its place in the log. */
  readonly messageIds: readonly string[];
  readonly at: number;
}

/** How it all stands with one user at the end of an instant, and until the next account. */
export interface Account {
  readonly userId: string;
  readonly at: number;
  readonly triggered: readonly Triggered[];
  readonly standings: ReadonlyMap<string, Standing>;
  /** For each conversation in which something is missed, why they aren't told of it. */
  readonly held: ReadonlyMap<string, readonly Held[]>;
}

function view(userId: string, known: Known, told: readonly Told[], names: ReadonlySet<string>, now: number): View {
  const live = stretches(known.presence, now);
  const settings = settingsOf(known);
  const all = standings({ userId, known, live, told: names });
  return {
    now,
    known,
    live,
    standings: all,
    missed: missedOf(all),
    told,
    settings,
    zone: zoneOf(known, settings.quietHours),
  };
}

/** The next notification at an instant, if there is one to be told. */
function next(loggedAt: View): Told | undefined {
  const found = byConversation(loggedAt.missed).find(([id, missed]) => heldBy(id, missed, loggedAt).length === 0);
  if (found === undefined) return undefined;
  const about = loggedAt.settings.group === "recipient" ? loggedAt.missed : found[1];
  return { at: loggedAt.now, about, conversations: new Set(about.map(({ conversationId }) => conversationId)) };
}

function triggeredOf(userId: string, { at, about, conversations }: Told): Triggered {
  const conversationId = conversations.size > 1 ? null : about[0]!.conversationId;
  return { userId, conversationId, messageIds: about.map(({ messageId }) => messageId), at };
}

/** The accounts of one user, up to and at an instant, from what is remembered of all that the log had by then. */
export function* accounts(userId: string, memory: Memory, until: number): Generator<Account> {
  let told: readonly Told[] = [];
  const names = new Set<string>();
  for (let now = memory.next(Number.NEGATIVE_INFINITY); now <= until;) {
    const known = memory.at(now);
    const triggered: Triggered[] = [];
    let loggedAt = view(userId, known, told, names, now);
    for (let notification = next(loggedAt); notification !== undefined; notification = next(loggedAt)) {
      triggered.push(triggeredOf(userId, notification));
      for (const message of notification.about) names.add(nameOf(message));
      told = [...told, notification];
      loggedAt = view(userId, known, told, names, now);
    }
    const held = new Map(byConversation(loggedAt.missed).map(([id, missed]) => [id, heldBy(id, missed, loggedAt)]));
    yield { userId, at: now, triggered, standings: loggedAt.standings, held };
    told = memory.keep(loggedAt);
    const later = flips(loggedAt).filter((instant) => instant > now);
    now = later.reduce((least, instant) => Math.min(least, instant), memory.next(now));
  }
}

/** All who take part in anything, at some time. */
export function usersOf(lines: readonly Line[]): readonly string[] {
  const users = new Set(lines.flatMap(({ topic, value }) => (topic === "chat.participants" ? [value.userId] : [])));
  return [...users].toSorted();
}

/** Who is told, about what, when, up to and at an instant, from all that the log had by then: ordered by time, then user. */
export function judge(lines: readonly Line[], until: number): Triggered[] {
  return usersOf(lines)
    .flatMap((userId) => [...accounts(userId, perfect(concerning(lines, userId)), until)])
    .flatMap(({ triggered }) => triggered)
    .toSorted((left, right) => left.at - right.at);
}
