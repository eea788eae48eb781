/**
 * The judge decides notifications, and the reasons against others, straight from services/inboxes/README.md. At each
 * instant that may change a decision it looks at all known records from scratch. It shares no code with the rule.
 *
 * The judge's reading where the page is silent:
 * - kind, origin and sender of a message are those of SENT;
 * - a user whose latest event is JOINED or UPDATED is a participant;
 * - any message of a user's own counts as their own, whatever its kind or origin, even once deleted;
 * - an edit older than its SENT changes nothing;
 * - quiet hours from a time to the same time are none;
 * - grouped by recipient, a READ in any conversation restarts the cooldown, and the conversation that a user attends
 *   is told with the rest.
 */
import type { Line } from "./history.ts";
import { concerning, type Known } from "./known.ts";
import { type Memory, perfect } from "./memory.ts";
import { missedOf, nameOf, type Standing, standings } from "./missed.ts";
import { stretches } from "./sessions.ts";
import { byConversation, flips, type Held, heldBy, settingsOf, type Told, type View, zoneOf } from "./when.ts";

/** A notification by the judge. */
export interface Triggered {
  readonly userId: string;
  /** Null where it is about several. */
  readonly conversationId: string | null;
  /** Ordered by since, then the message's time, then its place in the log. */
  readonly messageIds: readonly string[];
  readonly at: number;
}

/** A user's state at the end of an instant, which holds until the next account. */
export interface Account {
  readonly userId: string;
  readonly at: number;
  readonly triggered: readonly Triggered[];
  readonly standings: ReadonlyMap<string, Standing>;
  /** For each conversation with missed messages, the reasons why the user isn't told of them. */
  readonly held: ReadonlyMap<string, readonly Held[]>;
}

function viewOf(userId: string, known: Known, told: readonly Told[], names: ReadonlySet<string>, now: number): View {
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

/** The next notification that is due at an instant; undefined: none. */
function next(view: View): Told | undefined {
  const found = byConversation(view.missed).find(([id, missed]) => heldBy(id, missed, view).length === 0);
  if (found === undefined) return undefined;
  const about = view.settings.group === "recipient" ? view.missed : found[1];
  return { at: view.now, about, conversations: new Set(about.map(({ conversationId }) => conversationId)) };
}

function triggeredOf(userId: string, { at, about, conversations }: Told): Triggered {
  const conversationId = conversations.size > 1 ? null : about[0]!.conversationId;
  return { userId, conversationId, messageIds: about.map(({ messageId }) => messageId), at };
}

/** Yields the accounts of one user up to an instant, from the judge's memory of the log. */
export function* accounts(userId: string, memory: Memory, until: number): Generator<Account> {
  let told: readonly Told[] = [];
  const names = new Set<string>();
  for (let now = memory.next(Number.NEGATIVE_INFINITY); now <= until;) {
    const known = memory.at(now);
    const triggered: Triggered[] = [];
    let view = viewOf(userId, known, told, names, now);
    for (let notification = next(view); notification !== undefined; notification = next(view)) {
      triggered.push(triggeredOf(userId, notification));
      for (const message of notification.about) names.add(nameOf(message));
      told = [...told, notification];
      view = viewOf(userId, known, told, names, now);
    }
    const held = new Map(byConversation(view.missed).map(([id, missed]) => [id, heldBy(id, missed, view)]));
    yield { userId, at: now, triggered, standings: view.standings, held };
    told = memory.keep(view);
    const later = flips(view).filter((instant) => instant > now);
    now = later.reduce((least, instant) => Math.min(least, instant), memory.next(now));
  }
}

/** All users who take part in a conversation at some time. */
export function usersOf(lines: readonly Line[]): readonly string[] {
  const users = new Set(lines.flatMap(({ topic, value }) => (topic === "chat.participants" ? [value.userId] : [])));
  return [...users].toSorted();
}

/** The notifications up to an instant, from the log by then: ordered by time, then user. */
export function judge(lines: readonly Line[], until: number): Triggered[] {
  return usersOf(lines)
    .flatMap((userId) => [...accounts(userId, perfect(concerning(lines, userId)), until)])
    .flatMap(({ triggered }) => triggered)
    .toSorted((left, right) => left.at - right.at);
}
