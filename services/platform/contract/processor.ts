import type { Compose, Effect, Lookup } from "./effect.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import type { RowParts } from "./row-parts.ts";
import type { Millis } from "./time.ts";
import type { TopicId } from "../../domain/topics.ts";

/** A stage of the flow: a processor that turns records of some topics into records of another. */
export interface Stage {
  readonly processor: string;
  /** The topic whose partitions are its lanes. */
  readonly home: TopicId;
  /** All topics that decide when it puts something on the other. */
  readonly from: readonly TopicId[];
  readonly to: TopicId;
  /**
   * What it puts there follows from records as soon as they are examined (strays), or only when they are folded. What
   * follows from its timers is not waited for.
   */
  readonly by: "examined" | "folded";
}

/** A topic that a processor writes, and who folds it: one whose home that is. */
export interface Feed {
  readonly processor: string;
  readonly topic: TopicId;
  /** Records that may lie there and wait to be folded, about: no more are added while those before them are behind. */
  readonly most: number;
}

/** What a processor folds: something that concerns one key, or several alike. */
export interface Keyed {
  readonly key: string;
  /** All that it concerns, never none: it waits as one event, and is folded for each of them in turn (`eachOf`). */
  readonly keys?: readonly string[];
  /** Its own time: when it happened. */
  readonly at: Millis;
  /**
   * When the log had it, at `at` or later: nothing is decided by it before. Events are folded in this order. Where a
   * record's timestamp is less than that of one before it on its partition, it is handed in with that one's.
   */
  readonly loggedAt: Millis;
}

/** The event for each key that it concerns, as it is folded. */
export const eachOf = <Event extends Keyed>(event: Event): readonly Event[] =>
  event.keys?.map((key) => ({ ...event, key })) ?? [event];

/** How many keys it concerns. */
export const countOf = ({ keys }: Keyed): number => keys?.length ?? 1;

/** The stream's time has come to where the row `key` asked to be woken (`wake`): folded like any event. */
export interface Due {
  readonly type: "due";
  readonly key: string;
  /** The stream's time now. */
  readonly at: Millis;
}

/**
 * Topics that are read whole by every process, and what their records come to: small, and known on every lane. None is an
 * input as well. What is known may be known early, so it says itself from when on each part holds.
 */
export interface GlobalTable<Given> {
  readonly topics: readonly TopicId[];
  readonly initial: Given;
  /** Folds a record, in the order of timestamp, time and offset; begins anew when one comes late. May throw Poison. */
  apply(given: Given, record: LogRecord): Given;
}

/** The rows an event may read, as they are before it. */
export interface Rows<Row> {
  /** A row; one that `rows` didn't name is fetched, and the fold is done anew with it. */
  get(key: string): Row | undefined;
  /** Says that all of these will be read: what lacks is fetched in one go. */
  expect(keys: readonly string[]): void;
}

/** What follows from an event: rows written (null deletes), effects in order. */
export interface Step<Row> {
  readonly writes: readonly (readonly [key: string, row: Row | null])[];
  readonly effects: readonly Effect[];
}

/** Nothing changes and nothing follows. */
export const nothing: Step<never> = { writes: [], effects: [] };

/**
 * The pure half of a service: a plain record of functions over rows of state. No function reads a clock, draws a
 * random number or keeps anything: the same arguments give the same result. Any of them may throw Poison.
 */
export interface Processor<Row, Event extends Keyed, Given = undefined> {
  /** Identity: names the consumer group, the state table and the streams of the outbox. */
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** The topic whose partitions are this processor's lanes. */
  readonly home: TopicId;
  /** Where a record goes that was found outside its key's lane; null where no state hangs on the key. */
  readonly strays: TopicId | null;
  /**
   * What its own inputs wait in before they are there, in the order of the flow: nothing is folded before everything
   * that the log had earlier. Empty: records are folded as they come, for who doesn't care.
   */
  readonly upstream: readonly Stage[];
  /** Whom it waits for when it is far ahead. */
  readonly feeds?: Feed;
  /** What the root need not hand in as `given`, because the log says it: a change of it looks at every timer anew. */
  readonly globalTable?: GlobalTable<Given>;
  /**
   * How rows lie in the store where each has several parts. Such a row is read whole and changed in place: `rows` names
   * all that an event needs, and of what is thrown while one is folded nothing may be kept.
   */
  readonly parts?: RowParts<Row>;
  /** What a record says, split by the keys that it concerns. */
  read(record: LogRecord): readonly Event[];
  /** Keys of the rows the event may read or write, for all that it concerns; all of them in its key's lane. */
  rows(event: Event): readonly string[];
  /** `rows` holds what `rows(event)` named, for Due the one row that asked. `given` is what the root hands in. */
  fold(event: Event | Due, rows: Rows<Row>, given: Given): Step<Row>;
  /** When the row wants to be folded by a Due event, if at all: the first moment its state changes by time alone. */
  wake(row: Row, given: Given): Millis | null;
  /** What is looked up for a Compose. */
  lookups?(payload: Compose["payload"]): readonly Lookup[];
  /** Turns a Compose into what follows, with the rows that were looked up; those that don't exist are undefined. */
  compose?(payload: Compose["payload"], found: (lookup: Lookup) => unknown): readonly Effect[];
}
