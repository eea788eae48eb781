import type { Compose, Effect, Lookup, MulticastFormat } from "./effect.ts";
import type { LogRecord } from "./log-record.ts";
import type { RowParts } from "./row-parts.ts";
import type { Millis } from "./time.ts";
import type { TopicId } from "./topic.ts";

/** A stage of the flow: a processor that turns records of some topics (`from`) into records of another (`to`). */
export interface Stage {
  readonly processor: string;
  /** The topic whose partitions are its lanes. */
  readonly home: TopicId;
  /** Topics whose records lead to records on `to`. */
  readonly from: readonly TopicId[];
  readonly to: TopicId;
  /**
   * Moment at which a record of `from` leads to one on `to`: `read` for strays, which are forwarded at once, else `folded`.
   * The watermark does not wait for records that follow from timers.
   */
  readonly by: "read" | "folded";
}

/** A topic that a processor writes, and the processor that folds it: its home. */
export interface Feed {
  readonly processor: string;
  readonly topic: TopicId;
  /** Records that may wait there, about: no more are added while those before them are not folded. */
  readonly most: number;
}

/** An event: something that concerns one key, or several alike. */
export interface Keyed {
  readonly key: string;
  /** All keys that it concerns, never none: it waits as one event, and is folded for each of them in turn (`eachOf`). */
  readonly keys?: readonly string[];
  /** Its own time: when it happened. */
  readonly at: Millis;
  /**
   * Its Kafka timestamp, `at` or later: nothing is decided by it before. Events are folded in this order. An event whose
   * timestamp is less than that of the one before it on its partition is handed in with that one's.
   */
  readonly loggedAt: Millis;
}

/** The event for each key that it concerns, as it is folded. */
export const eachOf = <Event extends Keyed>(event: Event): readonly Event[] =>
  event.keys?.map((key) => ({ ...event, key })) ?? [event];

/** Number of keys that an event concerns. */
export const countOf = ({ keys }: Keyed): number => keys?.length ?? 1;

/** A timer that has fired: the watermark has reached the time that the row `key` asked for (`wake`). Folded like an event. */
export interface Due {
  readonly type: "due";
  readonly key: string;
  /** The watermark now. */
  readonly at: Millis;
}

/**
 * A global table (Kafka Streams' term): topics that every process reads whole, folded to one value that every lane knows.
 * None of them is an input as well. A value may be known early, so it says itself from when on each part of it holds.
 */
export interface GlobalTable<Value> {
  readonly topics: readonly TopicId[];
  readonly initial: Value;
  /** Folds a record, in the order of timestamp, time and offset; starts over when one comes late. May throw Poison. */
  apply(value: Value, record: LogRecord): Value;
}

/** The rows an event may read, as they are before it. */
export interface Rows<Row> {
  /** A row; one that `rows` didn't name is fetched, and the fold is done anew with it. */
  get(key: string): Row | undefined;
  /** Announces rows that will be read: the missing ones are fetched together. */
  expect(keys: readonly string[]): void;
}

/** The outcome of an event: rows written (null deletes), and effects in order. */
export interface Step<Row, Output extends Effect = Effect> {
  readonly writes: readonly (readonly [key: string, row: Row | null])[];
  readonly effects: readonly Output[];
}

/** The amount that one effect adds to a counter. */
export interface EffectCounter<Output extends Effect> {
  amountOf(effect: Output): number;
}

/** Nothing changes and nothing follows. */
export const nothing: Step<never, never> = { writes: [], effects: [] };

/**
 * The pure half of a service: a plain record of functions over rows of state. No function reads a clock, draws a
 * random number or keeps anything: the same arguments give the same result. Any of them may throw Poison.
 */
export interface Processor<
  Row,
  Event extends Keyed,
  Given = undefined,
  Input extends LogRecord = LogRecord,
  Output extends Effect = Effect,
> {
  /** Identity: names the consumer group, the state table and the streams of the outbox. */
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** The topic whose partitions are this processor's lanes. */
  readonly home: TopicId;
  /** Topic for records that were found outside their key's lane; null where no state hangs on the key. */
  readonly strays: TopicId | null;
  /**
   * The order of folding. `log time`: by Kafka timestamp across all inputs, each event only after every earlier one has
   * come through the stages upstream. `arrival`: as records arrive.
   */
  readonly order: "log time" | "arrival";
  /** The stages upstream, in flow order; none where the order is `arrival`. */
  readonly upstream: readonly Stage[];
  /** The processor downstream that this one waits for when it is far ahead. */
  readonly feeds?: Feed;
  /** Source of `given` where the log says it: a change of it asks every timer anew. Else the caller provides it. */
  readonly globalTable?: GlobalTable<Given>;
  /** Formats of the topics that its multicasts go to. */
  readonly multicasts?: Readonly<Record<TopicId, MulticastFormat>>;
  /** The product's counters that its effects add to, by name. */
  readonly counters?: Readonly<Record<string, EffectCounter<Output>>>;
  /** It keeps no rows, and has no table. */
  readonly isStateless?: true;
  /**
   * Layout of rows that lie in the store in several parts. Such a row is read whole and changed in place: `rows` names
   * all that an event needs, and nothing may be kept of what is thrown while one is folded.
   */
  readonly parts?: RowParts<Row>;
  /** The events of a record, split by the keys that they concern. */
  read(record: Input): readonly Event[];
  /** Keys of the rows the event may read or write, for all keys that it concerns; all of them in its key's lane. */
  rows(event: Event): readonly string[];
  /** Folds an event or a fired timer. `rows` holds what `rows(event)` named, for Due the one row that asked. */
  fold(event: Event | Due, rows: Rows<Row>, given: Given): Step<Row, Output>;
  /** The first moment at which the row changes by time alone: it is folded by a Due event then. null: never. */
  wake(row: Row, given: Given): Millis | null;
  /** The rows that a Compose looks up. */
  lookups?(payload: Compose["payload"]): readonly Lookup[];
  /** Turns a Compose into effects, with the rows that were looked up; those that don't exist are undefined. */
  compose?(payload: Compose["payload"], found: (lookup: Lookup) => unknown): readonly Output[];
}
