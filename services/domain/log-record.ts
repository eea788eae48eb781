import { Poison } from "../platform/contract/failure.ts";
import { HOUR, type Millis } from "../platform/contract/time.ts";
import type { Values } from "./records.ts";
import type { TopicId } from "./topics.ts";

/**
 * Longest delay of a late record, from its own time to its Kafka timestamp. Up to this delay, the record is folded
 * exactly as of its own time.
 */
export const LATENESS: Millis = HOUR;

/** A decoded record of one topic: the platform's record (`contract/log-record.ts`), with the type of its value. */
export interface RecordOf<T extends TopicId> {
  readonly topic: T;
  /** The record's key in UTF-8; "" where the topic has none. */
  readonly key: string;
  /** null is a tombstone. */
  readonly value: Values[T] | null;
  /** The record's own time, `occurredAt`, but never later than its Kafka timestamp; a tombstone's is that timestamp. */
  readonly at: Millis;
  /** The record's Kafka timestamp. */
  readonly loggedAt: Millis;
}

/** A decoded record of any topic: switch on `topic`. */
export type LogRecord = { readonly [T in TopicId]: RecordOf<T> }[TopicId];

/** A record to publish; a value of null is a tombstone. */
export type NewRecord = {
  readonly [T in TopicId]: {
    readonly topic: T;
    readonly key: string;
    readonly value: Values[T] | null;
    /** Kafka timestamp; by default the time of sending. */
    readonly timestamp?: Millis;
  };
}[TopicId];

/** Checks that a record's key is the id in its value's field. Throws Poison. */
export const checkKey = (key: string, field: string, id: string): void => {
  if (key !== id)
    throw new Poison(
      `its key is "${key}" but its ${field} is "${id}": produce the record with its ${field} as the key`,
    );
};
