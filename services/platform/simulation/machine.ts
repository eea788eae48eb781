import type { Compose, Effect, Lookup } from "../contract/effect.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import { isPoisonous } from "../contract/failure.ts";
import { partsOf } from "../contract/row-parts.ts";
import { eachOf, type Keyed, type Processor, type Step } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { precedence, type TopicId } from "../../domain/topics.ts";
import { timedRows } from "./timed-rows.ts";

/** One processor with its rows and timers in memory. Time is what it is told. */
export interface Machine {
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** Topics of its lore. */
  readonly lore: readonly TopicId[];
  /** Folds a record of the lore; then every row is asked anew when it wants to be woken, from that time on. */
  learn(record: LogRecord, time: Millis): void;
  /** Has a record of an input wait for `run`. @param time the stream's, by which it is taken */
  give(record: LogRecord, time: Millis): void;
  /** The time of the first that waits, or at which a timer may fire; Infinity where there is nothing. */
  next(): Millis;
  /**
   * Folds everything before that time: what was given, at one time in the order of its own times, of topics and of
   * giving, and the timers, each at its time and after what was given for it. Then what follows is handed on, by time.
   */
  run(before: Millis): void;
  /** A row, or a part of one, as the store would have it. */
  row(part: string): unknown;
}

/** Where that leads to what a machine does. */
export interface Outlet {
  /** Whether anybody wants to hear of notes. */
  readonly takesNotes: boolean;
  effect(effect: Exclude<Effect, Compose>, at: Millis): void;
  /** A row of any machine, for what is composed. */
  found(lookup: Lookup): unknown;
  /** The rule refuses the record, or one event of it: it changed nothing. */
  refuse(record: LogRecord, processor: string, error: unknown): void;
}

/** What a record says, to be folded at a time. */
interface Given<Event> {
  readonly record: LogRecord;
  readonly events: readonly Event[];
  readonly time: Millis;
  readonly rank: number;
}

const ranks = new Map(precedence.map((topic, index) => [topic, index]));
const rankOf = (topic: TopicId): number => ranks.get(topic) ?? precedence.length;

/** @param processor one that needs nothing handed in but its lore */
export const machine = <Row, Event extends Keyed, Lore>(
  processor: Processor<Row, Event, Lore>,
  outlet: Outlet,
): Machine => {
  const parts = partsOf(processor);
  let waiting: Given<Event>[] = [];
  let first = Infinity; // of their times
  let lore = processor.globalTable?.initial as Lore;
  const rows = timedRows<Row>((row) => processor.wake(row, lore));
  const known = { get: rows.get, expect: () => undefined };
  let outcome: { readonly effect: Effect; readonly at: Millis }[] = [];

  const put = (effect: Effect, at: Millis): void => {
    if (effect.type !== "compose") outlet.effect(effect, at);
    else for (const composed of processor.compose?.(effect.payload, outlet.found) ?? []) put(composed, at);
  };
  const settle = ({ writes, effects }: Step<Row>, at: Millis): void => {
    for (const [key, row] of writes) {
      rows.write(key, row, at);
      if (row !== null) parts.saved(row);
    }
    for (const effect of effects) if (effect.type !== "note" || outlet.takesNotes) outcome.push({ effect, at });
  };
  const fold = (event: Event, { record, time }: Given<Event>): void => {
    let step: Step<Row>;
    try {
      step = processor.fold(event, known, lore);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      outlet.refuse(record, processor.name, error);
      return;
    }
    settle(step, time);
  };
  const wake = (key: string, at: Millis): void => settle(processor.fold({ type: "due", key, at }, known, lore), at);

  /** In the order of time, whatever it concerns. */
  const foldByTime = (some: readonly Given<Event>[], before: Millis): void => {
    for (const given of some) {
      rows.wakeAll(given.time, wake);
      for (const event of given.events) fold(event, given);
    }
    rows.wakeAll(before, wake);
  };
  /** Row by row, each in the order of time: no row has to do with another. */
  const foldByRow = (some: readonly Given<Event>[], before: Millis): void => {
    const events: Event[] = [];
    const of: Given<Event>[] = [];
    const heads: number[] = [];
    const nexts: number[] = []; // of the same row
    const lasts = new Map<string, number>();
    for (const given of some)
      for (const event of given.events) {
        const place = events.push(event) - 1;
        of.push(given);
        nexts.push(-1);
        const last = lasts.get(event.key);
        if (last === undefined) heads.push(place);
        else nexts[last] = place;
        lasts.set(event.key, place);
      }
    const due = rows.due(before);
    for (const head of heads) {
      for (let place = head; place !== -1; place = nexts[place] ?? -1) {
        const [event, given] = [events[place] as Event, of[place] as Given<Event>];
        rows.wakeOne(event.key, given.time, wake);
        fold(event, given);
      }
      rows.wakeOne((events[head] as Event).key, before, wake);
    }
    for (const key of due) rows.wakeOne(key, before, wake);
    outcome.sort((a, b) => a.at - b.at);
  };
  const foldAll = processor.parts === undefined ? foldByTime : foldByRow;

  const next = (): Millis => Math.min(first, rows.nextDue());
  /** Takes out of what waits whatever is to be folded before that time, in order. */
  const takeBefore = (before: Millis): readonly Given<Event>[] => {
    if (waiting.length === 0) return waiting;
    const some = waiting.filter(({ time }) => time < before);
    waiting = some.length === waiting.length ? [] : waiting.filter(({ time }) => time >= before);
    first = waiting.reduce((least, { time }) => Math.min(least, time), Infinity);
    return some.toSorted((a, b) => a.time - b.time || a.record.at - b.record.at || a.rank - b.rank);
  };

  return {
    name: processor.name,
    inputs: processor.inputs,
    lore: processor.globalTable?.topics ?? [],
    learn(record, time) {
      try {
        lore = processor.globalTable?.apply(lore, record) ?? lore;
      } catch (error) {
        if (!isPoisonous(error)) throw error;
        outlet.refuse(record, processor.name, error);
        return;
      }
      rows.askAll(time);
    },
    give(record, time) {
      try {
        const events = processor.read(record).flatMap(eachOf);
        if (events.length === 0) return;
        waiting.push({ record, events, time, rank: rankOf(record.topic) });
        first = Math.min(first, time);
      } catch (error) {
        if (!isPoisonous(error)) throw error;
        outlet.refuse(record, processor.name, error);
      }
    },
    next,
    run(before) {
      if (next() >= before) return;
      foldAll(takeBefore(before), before);
      const done = outcome;
      outcome = [];
      for (const { effect, at } of done) put(effect, at);
    },
    row(part) {
      const row = rows.get(parts.rowOf(part));
      return row === undefined ? undefined : parts.part(row, part);
    },
  };
};
