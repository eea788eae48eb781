import type { Millis } from "./time.ts";
import type { TopicId } from "./topic.ts";

/** Effects are data: only the engine carries them out, in the transaction that saves the state. */
export type Effect = Publish | Multicast | Compose | Enqueue;

/** Puts a record on a topic, on the lane of its key. */
export interface Publish {
  readonly type: "publish";
  readonly topic: TopicId;
  readonly key: string;
  /** The value by the topic's schema. */
  readonly value: object;
}

/**
 * Sends an entry to many keys at once: each partition of the topic gets one record for all entries of a commit.
 * The processor's `multicasts` says how such records are made.
 */
export interface Multicast {
  readonly type: "multicast";
  readonly topic: TopicId;
  /** May be one object for many keys: where equal entries become one, that one is compared once. */
  readonly entry: object;
  readonly keys: readonly string[];
}

/** Makes the records of a multicast topic, whose values are `{ entries }`. */
export interface MulticastFormat {
  /** Entries of one commit that are equal become one, which stands where the first of them stood. */
  readonly mergesEqual: boolean;
  /** The entry as one partition has it, with the keys that lie there. */
  forKeys(entry: object, keys: readonly string[]): object;
  /** Ids in an entry as `forKeys` made it, for the size of a record. */
  idsOf(entry: object): readonly (string | null)[];
}

/** Goes on in the processor's `compose` with rows that belong to other keys, as they are at the commit. */
export interface Compose {
  readonly type: "compose";
  readonly payload: unknown;
}

/** A row of some processor's state. */
export interface Lookup {
  readonly processor: string;
  /** The topic whose partitions are that processor's lanes. */
  readonly home: TopicId;
  /** The id whose lane the row lies in. */
  readonly id: string;
  readonly key: string;
}

/** Adds work to do outside of any transaction: leased, attempted, settled. An id that the queue has had changes nothing. */
export interface Enqueue {
  readonly type: "enqueue";
  readonly queue: string;
  readonly id: string;
  readonly payload: unknown;
  /** Not to be attempted before. */
  readonly runAt: Millis;
}
