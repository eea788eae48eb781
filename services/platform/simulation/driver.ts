import type { Enqueue, Publish } from "../contract/effect.ts";
import type { LogRecord } from "../contract/log-record.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { Product, TopicId } from "../contract/topic.ts";
import { type Machine, machine, type Outlet } from "./machine.ts";

/**
 * Drives the pure processors of a flow over rows in memory: no log, no store, no encoding, no waiting. The flow's time is
 * that of the records fed; between two records every timer fires at its own time. At one time the global tables come
 * first, then the records, then the timers, and each processor comes before those downstream.
 */
export interface Driver {
  /** Takes a record of the log. Records come in the order of their timestamps; a late one is taken at the flow's time. */
  feed(record: LogRecord): void;
  /** Folds everything up to a time, the timers of that time included. */
  advance(until: Millis): void;
}

/** Processors in flow order, and the listeners to their effects. */
export interface Flow {
  readonly product: Pick<Product, "precedence">;
  readonly parts: readonly Part[];
  /**
   * Number of records that are folded together. More are faster and have the same outcome, but the order of time holds
   * for each processor alone, and lookups find the rows as they are at the end. 1 by default.
   */
  readonly window?: number;
  /** Records that come before all others. */
  readonly begins?: readonly LogRecord[];
  /** Tells whether the flow takes a record of the log; it takes all by default. */
  readonly hears?: (record: LogRecord) => boolean;
  /** Called with each published record; the processors that have the topic among their inputs get it too. */
  readonly published?: (record: LogRecord) => void;
  /** By topic, the listener to multicast entries. An entry has its keys, as its format puts them there. */
  readonly multicast?: Readonly<Record<TopicId, (entry: object) => void>>;
  readonly enqueued?: (job: Enqueue) => void;
  /** Called with each record that a rule refuses, or of which it refuses an event: it has changed nothing. */
  readonly refused?: (record: LogRecord, processor: string, error: unknown) => void;
}

/** A processor that is still to be connected to the outlet of its effects. */
export type Part = (outlet: Outlet) => Machine;

/** Makes a part of a processor, whose folds are given its global table alone. */
export const part =
  <Row, Event extends Keyed, Table>(processor: Processor<Row, Event, Table>): Part =>
  (outlet) =>
    machine(processor, outlet);

/** A time before all others. */
const BEGINNING: Millis = Number.MIN_SAFE_INTEGER;
/** Turns at one time, after which the processors are taken to run in circles. */
const MAX_TURNS = 1_000;

/** Makes a driver; its processors have no rows yet. */
export const drive = (flow: Flow): Driver => {
  const machines: Machine[] = [];
  const { window = 1 } = flow;
  const give = (record: LogRecord, at: Millis): void => {
    for (const one of takersOf.get(record.topic) ?? none) one.give(record, at);
  };
  const outlet: Outlet = {
    product: flow.product,
    takes: (topic) => takersOf.has(topic) || flow.multicast?.[topic] !== undefined,
    multicast({ topic }, entry, at) {
      flow.multicast?.[topic]?.(entry);
      give(entryRecord(topic, entry, at), at);
    },
    effect(effect, at) {
      switch (effect.type) {
        case "publish": {
          const record = publishedRecord(effect, at);
          flow.published?.(record);
          give(record, at);
          break;
        }
        case "enqueue":
          flow.enqueued?.(effect);
          break;
      }
    },
    found: ({ processor, key }) => machines.find(({ name }) => name === processor)?.row(key),
    refuse: (record, processor, error) => flow.refused?.(record, processor, error),
  };
  for (const make of flow.parts) machines.push(make(outlet));
  const takersOf = byTopic(machines, ({ inputs }) => inputs);
  const tablesOf = byTopic(machines, ({ globalTopics }) => globalTopics);
  let time: Millis = BEGINNING;
  let waiting = 0;
  const next = (): Millis => {
    let first = Infinity;
    for (const one of machines) first = Math.min(first, one.next());
    return first;
  };
  /** Folds everything before a time, each processor after those upstream. */
  const runAll = (before: Millis): void => {
    for (let turns = 0; next() < before; turns++) {
      if (turns === MAX_TURNS)
        throw new Error(`the processors still find work before ${before} after ${MAX_TURNS} turns`);
      for (const one of machines) one.run(before);
    }
  };
  const settle = (before: Millis): void => {
    if (window === 1) for (let at = next(); at < before; at = next()) runAll(at + 1);
    else runAll(before);
    waiting = 0;
  };
  const enter = (record: LogRecord): void => {
    const tables = tablesOf.get(record.topic) ?? none;
    if (tables.length > 0) settle(time);
    for (const one of tables) one.apply(record, time);
    give(record, time);
    waiting++;
  };
  for (const record of flow.begins ?? []) enter(record);

  return {
    feed(record) {
      const { loggedAt: timestamp } = record;
      if (timestamp > time) {
        if (waiting >= window) settle(timestamp);
        time = timestamp;
      }
      if (flow.hears?.(record) ?? true) enter(record);
    },
    advance(until) {
      settle(Math.max(time, until) + 1);
      time = Math.max(time, until);
    },
  };
};

const none: readonly Machine[] = [];

const byTopic = (
  machines: readonly Machine[],
  topicsOf: (machine: Machine) => readonly TopicId[],
): ReadonlyMap<TopicId, readonly Machine[]> => {
  const found = new Map<TopicId, Machine[]>();
  for (const one of machines) for (const topic of topicsOf(one)) found.set(topic, [...(found.get(topic) ?? []), one]);
  return found;
};

/** Makes the record of one entry; its own time is the entry's `occurredAt`. */
const entryRecord = (topic: TopicId, entry: object, at: Millis): LogRecord => ({
  topic,
  key: "",
  value: { entries: [entry] },
  at: timeOf(entry) ?? at,
  loggedAt: at,
});

const publishedRecord = ({ topic, key, value }: Publish, at: Millis): LogRecord => ({
  topic,
  key,
  value,
  at: Math.min(timeOf(value) ?? at, at),
  loggedAt: at,
});

const timeOf = (value: object): Millis | undefined => (value as { readonly occurredAt?: Millis }).occurredAt;
