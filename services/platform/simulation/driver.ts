import type { Enqueue, FanOut, Publish } from "../contract/effect.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { InboxEntry, LedgerEntry } from "../../domain/records.ts";
import type { Millis } from "../contract/time.ts";
import type { TopicId } from "../../domain/topics.ts";
import { type Machine, machine, type Outlet } from "./machine.ts";

/**
 * The pure processors of the flow over rows in memory: no log, no store, no encoding, no waiting. The stream's time is
 * that of the records fed; between two of them every timer fires at its own time, and at one time comes first what is
 * learnt, then the records, then the timers, each processor before those that take what it puts out.
 */
export interface Driver {
  /** Takes a record of the log. They come in the order of their timestamps; one that is late is taken as of now. */
  feed(record: LogRecord): void;
  /** Everything until then, the timers of that very time included. */
  advance(until: Millis): void;
}

/** Processors in the order of the flow, and who hears what they put out; nobody need listen. */
export interface Flow {
  readonly parts: readonly Part[];
  /**
   * Records that may wait, to be folded together: faster, with the same outcome, but by time for each processor alone; and
   * what is looked up is found as it is at the end. 1 without it.
   */
  readonly window?: number;
  /** Records before all others. */
  readonly begins?: readonly LogRecord[];
  /** Whether it hears a record of the log; all, without it. */
  readonly hears?: (record: LogRecord) => boolean;
  /** A record for the log; whichever processor has the topic among its inputs is given it. */
  readonly published?: (record: LogRecord) => void;
  readonly fannedOut?: (entry: InboxEntry) => void;
  readonly noted?: (entry: LedgerEntry) => void;
  readonly enqueued?: (job: Enqueue) => void;
  /** A rule refuses a record, or an event of it: it changed nothing. */
  readonly refused?: (record: LogRecord, processor: string, error: unknown) => void;
}

/** A processor that is still to be told where its effects go. */
export type Part = (outlet: Outlet) => Machine;

/** @param processor one that needs nothing but its lore */
export const part =
  <Row, Event extends Keyed, Lore>(processor: Processor<Row, Event, Lore>): Part =>
  (outlet) =>
    machine(processor, outlet);

/** Before every time. */
const BEGINNING: Millis = Number.MIN_SAFE_INTEGER;
/** Turns at one time, before the processors are taken to run in circles. */
const MAX_TURNS = 1_000;

/** Starts with nothing known. */
export const drive = (flow: Flow): Driver => {
  const machines: Machine[] = [];
  const { window = 1 } = flow;
  const give = (record: LogRecord, at: Millis): void => {
    for (const one of takersOf.get(record.topic) ?? none) one.give(record, at);
  };
  const outlet: Outlet = {
    takesNotes: flow.noted !== undefined,
    effect(effect, at) {
      switch (effect.type) {
        case "fanOut":
          flow.fannedOut?.(effect.entry);
          give(entryRecord(effect, at), at);
          break;
        case "publish": {
          const record = publishedRecord(effect, at);
          flow.published?.(record);
          give(record, at);
          break;
        }
        case "note":
          flow.noted?.({ ...effect.entry, users: effect.users });
          break;
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
  const learners = byTopic(machines, ({ lore }) => lore);
  let time: Millis = BEGINNING;
  let waiting = 0;
  const next = (): Millis => {
    let first = Infinity;
    for (const one of machines) first = Math.min(first, one.next());
    return first;
  };
  /** Everything before that time, each processor after those whose records it takes. */
  const runAll = (before: Millis): void => {
    for (let turns = 0; next() < before; turns++) {
      if (turns === MAX_TURNS) throw new Error(`the processors still find something to do before ${before}`);
      for (const one of machines) one.run(before);
    }
  };
  const settle = (before: Millis): void => {
    if (window === 1) for (let at = next(); at < before; at = next()) runAll(at + 1);
    else runAll(before);
    waiting = 0;
  };
  const enter = (record: LogRecord): void => {
    const learning = learners.get(record.topic) ?? none;
    if (learning.length > 0) settle(time);
    for (const one of learning) one.learn(record, time);
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

const entryRecord = ({ entry }: FanOut, at: Millis): LogRecord => ({
  topic: "inbox",
  key: "",
  value: { entries: [entry] },
  at: entry.occurredAt,
  loggedAt: at,
});

const publishedRecord = ({ topic, key, value }: Publish, at: Millis): LogRecord => {
  const own = "occurredAt" in value ? value.occurredAt : at;
  return { topic, key, value, at: Math.min(own, at), loggedAt: at } as LogRecord; // topic and value came together
};
