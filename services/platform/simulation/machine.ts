import type { Compose, Effect, Lookup, Multicast } from "../contract/effect.ts";
import { isPoisonous } from "../contract/failure.ts";
import type { LogRecord } from "../contract/log-record.ts";
import { eachOf, type Keyed, type Processor, type Step } from "../contract/processor.ts";
import { partsOf } from "../contract/row-parts.ts";
import type { Millis } from "../contract/time.ts";
import { type Product, rankOf, type TopicId } from "../contract/topic.ts";
import { timedRows } from "./timed-rows.ts";

/** One processor with its rows and timers in memory. It has no clock: every call gives the time. */
export interface Machine {
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** Topics of its global table. */
  readonly globalTopics: readonly TopicId[];
  /** Applies a record to the global table; then asks every row anew for its timer, from that time on. */
  apply(record: LogRecord, time: Millis): void;
  /** Queues a record of an input for `run`. @param time the flow's time, at which the record is taken */
  give(record: LogRecord, time: Millis): void;
  /** The time of the first waiting record or timer; Infinity where there is neither. */
  next(): Millis;
  /**
   * Folds everything before a time: records of one time by their own times, then by topic, then as they were given. Each
   * timer fires at its time, after the records of that time. Then the effects are handed on in the order of time.
   */
  run(before: Millis): void;
  /** A row, or a part of a row, as the store would hold it. */
  row(part: string): unknown;
}

/** Takes the effects of machines. */
export interface Outlet {
  readonly product: Pick<Product, "precedence">;
  /** Tells whether multicasts to a topic have a listener. */
  takes(topic: TopicId): boolean;
  /** Takes a multicast's entry, as its format makes it. */
  multicast(effect: Multicast, entry: object, at: Millis): void;
  effect(effect: Exclude<Effect, Compose | Multicast>, at: Millis): void;
  /** A row of any machine, for a Compose. */
  found(lookup: Lookup): unknown;
  /** Notes that the rule refuses the record, or an event of it, which has changed nothing. */
  refuse(record: LogRecord, processor: string, error: unknown): void;
}

/** The events of a record, to be folded at a time. */
interface Given<Event> {
  readonly record: LogRecord;
  readonly events: readonly Event[];
  readonly time: Millis;
  readonly rank: number;
}

/** Makes a machine of a processor, whose folds are given its global table alone. */
export const machine = <Row, Event extends Keyed, Table>(
  processor: Processor<Row, Event, Table>,
  outlet: Outlet,
): Machine => {
  const parts = partsOf(processor);
  let waiting: Given<Event>[] = [];
  let first = Infinity; // the least time of the waiting records
  let table = processor.globalTable?.initial as Table;
  const rows = timedRows<Row>((row) => processor.wake(row, table));
  const known = { get: rows.get, expect: () => undefined };
  let outcome: { readonly effect: Effect; readonly at: Millis }[] = [];

  const put = (effect: Effect, at: Millis): void => {
    if (effect.type === "compose")
      for (const composed of processor.compose?.(effect.payload, outlet.found) ?? []) put(composed, at);
    else if (effect.type !== "multicast") outlet.effect(effect, at);
    else if (outlet.takes(effect.topic)) {
      const { topic, entry, keys } = effect;
      outlet.multicast(effect, processor.multicasts?.[topic]?.forKeys(entry, keys) ?? entry, at);
    }
  };
  const settle = ({ writes, effects }: Step<Row>, at: Millis): void => {
    for (const [key, row] of writes) {
      rows.write(key, row, at);
      if (row !== null) parts.saved(row);
    }
    for (const effect of effects)
      if (effect.type !== "multicast" || outlet.takes(effect.topic)) outcome.push({ effect, at });
  };
  const fold = (event: Event, { record, time }: Given<Event>): void => {
    let step: Step<Row>;
    try {
      step = processor.fold(event, known, table);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      outlet.refuse(record, processor.name, error);
      return;
    }
    settle(step, time);
  };
  const wake = (key: string, at: Millis): void => settle(processor.fold({ type: "due", key, at }, known, table), at);

  /** Folds in the order of time across all rows. */
  const foldByTime = (some: readonly Given<Event>[], before: Millis): void => {
    for (const given of some) {
      rows.wakeAll(given.time, wake);
      for (const event of given.events) fold(event, given);
    }
    rows.wakeAll(before, wake);
  };
  /** Folds row by row, each in the order of time. It is the same, since no row reads another. */
  const foldByRow = (some: readonly Given<Event>[], before: Millis): void => {
    const events: Event[] = [];
    const origins: Given<Event>[] = [];
    const heads: number[] = [];
    const nexts: number[] = []; // index of the next event of the same row
    const lasts = new Map<string, number>();
    for (const given of some)
      for (const event of given.events) {
        const place = events.push(event) - 1;
        origins.push(given);
        nexts.push(-1);
        const last = lasts.get(event.key);
        if (last === undefined) heads.push(place);
        else nexts[last] = place;
        lasts.set(event.key, place);
      }
    const due = rows.due(before);
    for (const head of heads) {
      for (let place = head; place !== -1; place = nexts[place] ?? -1) {
        const [event, given] = [events[place] as Event, origins[place] as Given<Event>];
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
  /** Takes out the waiting records before a time, in order. */
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
    globalTopics: processor.globalTable?.topics ?? [],
    apply(record, time) {
      try {
        table = processor.globalTable?.apply(table, record) ?? table;
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
        waiting.push({ record, events, time, rank: rankOf(outlet.product, record.topic) });
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
