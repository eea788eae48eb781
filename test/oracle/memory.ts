/** What a judge remembers of a history from instant to instant, each later than the one before. */
import type { MessageValue } from "./history.ts";
import { compare, type Fact, type Facts, type Known } from "./known.ts";
import { nameOf, type Standing } from "./missed.ts";
import { awaySince, isOnline, isSign } from "./sessions.ts";
import type { Told, View } from "./when.ts";

/** What is remembered. */
export interface Memory {
  /** The first instant after that one at which something becomes known; Infinity: there is none. */
  next(now: number): number;
  /** All that the log had by then. */
  at(now: number): Known;
  /** The instant is judged: which notifications are still to be remembered. */
  keep(loggedAt: View): readonly Told[];
}

/** The same of each list. */
function mapped(
  facts: Facts,
  change: <Value>(list: readonly Fact<Value>[], name: keyof Facts) => readonly Fact<Value>[],
): Facts {
  return {
    settings: change(facts.settings, "settings"),
    users: change(facts.users, "users"),
    conversations: change(facts.conversations, "conversations"),
    participants: change(facts.participants, "participants"),
    presence: change(facts.presence, "presence"),
    messages: change(facts.messages, "messages"),
  };
}

const keyOf = ({ key }: { readonly key: string }): string => key;

/** Every instant at which something becomes known, in order. */
function arrivals(all: Facts): readonly number[] {
  const instants = Object.values(all).flatMap((facts: readonly Fact<unknown>[]) => facts.map(({ at }) => at));
  return [...new Set(instants)].toSorted((left, right) => left - right);
}

/** Forgets nothing. */
export function perfect(all: Facts): Memory {
  const instants = arrivals(all);
  return {
    next: (now) => instants.find((instant) => instant > now) ?? Infinity,
    at(now) {
      const facts = mapped(all, (list) => list.filter(({ at }) => at <= now));
      const { conversations, participants } = facts;
      return {
        ...facts,
        conversations: Map.groupBy(conversations, keyOf),
        participants: Map.groupBy(participants, keyOf),
      };
    },
    keep: ({ told }) => told,
  };
}

/**
 * Forgets what can't matter any more, for a log that had every record when it happened (what comes again apart): what becomes
 * known next is of a later time than all that is known. So
 * - a message that isn't missed never will be, unless more is said of it, or it was attended in a session that may yet lapse;
 * - what they wrote themselves answers what was before it;
 * - a notification counts for the cooldown until a sign, or a read there, starts that over, and for the cap for a day;
 * - what was on screen, or read, matters to messages and notifications of before, and its latest end to who is away.
 */
export function forgetful(all: Facts): Memory {
  const coming = mapped(all, (list) =>
    list.toSorted((left, right) => left.at - right.at || left.offset - right.offset),
  );
  const instants = arrivals(all);
  let instant = 0;
  const places = { settings: 0, users: 0, conversations: 0, participants: 0, presence: 0, messages: 0 };
  const lastWords = new Map(coming.messages.map(({ value, at }) => [nameOf(value), at]));
  let facts = mapped(all, () => []);
  let known: Known = { ...facts, conversations: new Map(), participants: new Map() };
  return {
    next(now) {
      while ((instants[instant] ?? Infinity) <= now) instant++;
      return instants[instant] ?? Infinity;
    },
    at(now) {
      const before = facts;
      facts = mapped(coming, <Value>(list: readonly Fact<Value>[], name: keyof Facts) => {
        const kept = before[name] as readonly Fact<Value>[];
        const from = places[name];
        while ((list[places[name]]?.at ?? Infinity) <= now) places[name]++;
        return places[name] === from ? kept : [...kept, ...list.slice(from, places[name])].toSorted(compare);
      });
      const { conversations, participants } = facts;
      known = {
        ...facts,
        conversations: conversations === before.conversations ? known.conversations : Map.groupBy(conversations, keyOf),
        participants: participants === before.participants ? known.participants : Map.groupBy(participants, keyOf),
      };
      return known;
    },
    keep(loggedAt) {
      const messages = messagesLeft(loggedAt, lastWords);
      const told = toldLeft(loggedAt);
      const from = Math.min(loggedAt.now, ...messages.map(({ time }) => time), ...told.map(({ at }) => at));
      facts = { ...facts, messages, presence: presenceLeft(loggedAt, from) };
      return told;
    },
  };
}

function messagesLeft(
  { now, known, live, standings }: View,
  lastWords: ReadonlyMap<string, number>,
): Known["messages"] {
  const mayLapse = isOnline(live);
  const isOpen = ({ since, moments }: Standing): boolean =>
    since !== null || (mayLapse && moments.some(({ reasons }) => reasons.every((reason) => reason === "attending")));
  const isOwn = ({ moments }: Standing): boolean => moments.some(({ reasons }) => reasons.includes("self"));
  const is = (test: (standing: Standing) => boolean, { value }: Fact<MessageValue>): boolean => {
    const standing = standings.get(nameOf(value));
    return standing !== undefined && test(standing);
  };
  const open = known.messages.filter((each) => (lastWords.get(nameOf(each.value)) ?? 0) > now || is(isOpen, each));
  const from = Math.min(...open.map(({ time }) => time));
  const answers = known.messages.filter((each) => each.time > from && is(isOwn, each));
  return [...new Set([...open, ...answers])].toSorted(compare);
}

/** Longer than any local day. */
const twoDays = 48 * 3_600_000;

function toldLeft({ now, known, told }: View): readonly Told[] {
  const sign = known.presence.findLast(isSign)?.time ?? -Infinity;
  const readIn = (conversation: string): number =>
    known.presence.findLast(({ value }) => value.type === "READ" && value.conversationId === conversation)?.time ??
    -Infinity;
  const counts = ({ at, conversations }: Told): boolean =>
    at >= sign && [...conversations].some((conversation) => at >= readIn(conversation));
  return told.filter((each) => each.at > now - twoDays || counts(each));
}

/** @param from the time of the first message or notification that is left */
function presenceLeft({ known, live }: View, from: number): Known["presence"] {
  const latest = awaySince(live);
  const sessions = new Set(
    live.filter(({ end }) => end >= from || end === latest).map(({ signs }) => signs[0]?.value.sessionId),
  );
  return known.presence.filter(
    ({ value, time }) => time >= from || (value.type !== "READ" && sessions.has(value.sessionId)),
  );
}
