import type { Compose, Effect, Lookup } from "../core/effect.ts";
import type { LogRecord } from "../core/event.ts";
import { isPoisonous } from "../core/failure.ts";
import { partsOf } from "../core/parts.ts";
import type { Keyed, Processor, Step } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import { precedence, type TopicId } from "../core/topics.ts";
import { timedRows } from "./timed-rows.ts";

/** One processor with its rows and timers in memory. Time is what it is told. */
export interface Machine {
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** Topics of its lore. */
  readonly lore: readonly TopicId[];
  /** Folds a record of the lore; then every row is asked anew when it wants to be woken. */
  learn(record: LogRecord): void;
  /** Has a record of an input wait for `run`. */
  give(record: LogRecord): void;
  isIdle(): boolean;
  /** When the earliest timer may fire; Infinity where there is none. */
  nextDue(): Millis;
  /** Folds what was given, in the order of its own times, of topics and of giving; then what is due by `at`. */
  run(at: Millis): void;
  /** A row, or a part of one, as the store would have it. */
  row(part: string): unknown;
}

/** Where that leads to what a machine does. */
export interface Outlet {
  effect(effect: Exclude<Effect, Compose>, at: Millis): void;
  /** A row of any machine, for what is composed. */
  found(lookup: Lookup): unknown;
  /** The rule refuses the record, or one event of it: it changed nothing. */
  refuse(record: LogRecord, processor: string, error: unknown): void;
}

interface Given<Event> {
  readonly record: LogRecord;
  readonly events: readonly Event[];
  readonly at: Millis;
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
  const waiting: Given<Event>[] = [];
  let lore = processor.lore?.begin as Lore;
  const rows = timedRows<Row>((row) => processor.wake(row, lore));
  const known = { get: rows.get, expect: () => undefined };

  const put = (effect: Effect, at: Millis): void => {
    if (effect.type !== "compose") outlet.effect(effect, at);
    else for (const composed of processor.compose?.(effect.payload, outlet.found) ?? []) put(composed, at);
  };
  const settle = ({ writes, effects }: Step<Row>, at: Millis): void => {
    for (const [key, row] of writes) {
      rows.write(key, row);
      if (row !== null) parts.saved(row);
    }
    for (const effect of effects) put(effect, at);
  };

  const foldAll = ({ record, events }: Given<Event>, at: Millis): void => {
    for (const event of events) {
      let step: Step<Row>;
      try {
        step = processor.fold(event, known, lore);
      } catch (error) {
        if (!isPoisonous(error)) throw error;
        outlet.refuse(record, processor.name, error);
        continue;
      }
      settle(step, at);
    }
  };

  return {
    name: processor.name,
    inputs: processor.inputs,
    lore: processor.lore?.topics ?? [],
    learn(record) {
      try {
        lore = processor.lore?.learn(lore, record) ?? lore;
      } catch (error) {
        if (!isPoisonous(error)) throw error;
        outlet.refuse(record, processor.name, error);
        return;
      }
      rows.askAll();
    },
    give(record) {
      try {
        const events = processor.read(record);
        if (events.length > 0) waiting.push({ record, events, at: record.at, rank: rankOf(record.topic) });
      } catch (error) {
        if (!isPoisonous(error)) throw error;
        outlet.refuse(record, processor.name, error);
      }
    },
    isIdle: () => waiting.length === 0,
    nextDue: rows.nextDue,
    run(at) {
      if (waiting.length > 1) waiting.sort((a, b) => a.at - b.at || a.rank - b.rank);
      for (const given of waiting) foldAll(given, at);
      waiting.length = 0;
      rows.wakeAll(at, (key) => settle(processor.fold({ type: "due", key, at }, known, lore), at));
    },
    row(part) {
      const row = rows.get(parts.rowOf(part));
      return row === undefined ? undefined : parts.part(row, part);
    },
  };
};
