/** The judge's memory of a history, asked at rising instants. */
import type { MessageValue } from "./history.ts";
import { compare, type Fact, type Facts, type Known } from "./known.ts";
import { nameOf, type Standing } from "./missed.ts";
import { awaySince, isOnline, isSign } from "./sessions.ts";
import type { Told, View } from "./when.ts";

/** A memory. */
export interface Memory {
  /** The first instant after this one at which a record becomes known; Infinity: there is none. */
  next(now: number): number;
  /** The records known at an instant. */
  at(now: number): Known;
  /** Tells that an instant is judged; returns the notifications that are still to be remembered. */
  keep(view: View): readonly Told[];
}

/** Changes each list of facts. */
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

/** Every instant at which a record becomes known, in order. */
function arrivals(all: Facts): readonly number[] {
  const instants = Object.values(all).flatMap((facts: readonly Fact<unknown>[]) => facts.map(({ at }) => at));
  return [...new Set(instants)].toSorted((left, right) => left - right);
}

/** A memory that forgets nothing. */
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
 * A memory that forgets records which no longer matter, for a log whose records came in time, but for repeats: a new
 * record has a later time than all known ones. Therefore:
 * - a message that isn't missed never will be, unless a later record is about it, or it was attended in a session
 *   that may lapse;
 * - a message of the user's own answers the messages before it;
 * - a notification counts for the cooldown until a sign, or a READ there, restarts that, and for the cap for a day;
 * - a READ, or a conversation on screen, matters to messages and notifications before it, and its latest end to the
 *   time away.
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
    keep(view) {
      const messages = messagesLeft(view, lastWords);
      const told = toldLeft(view);
      const from = Math.min(view.now, ...messages.map(({ time }) => time), ...told.map(({ at }) => at));
      facts = { ...facts, messages, presence: presenceLeft(view, from) };
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
