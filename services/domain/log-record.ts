import type { Values } from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { TopicId } from "./topics.ts";

/** A decoded record of one topic: the platform's record (`contract/log-record.ts`), with the type of its value. */
export interface RecordOf<T extends TopicId> {
  readonly topic: T;
  /** The record's key in UTF-8; "" where the topic has none. */
  readonly key: string;
  /** null is a tombstone. */
  readonly value: Values[T] | null;
  /** Its own time, `occurredAt`, but never later than the record's Kafka timestamp; a tombstone's is that timestamp. */
  readonly at: Millis;
  /** The log's own timestamp of the record. */
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
    /** The log's timestamp; else the time of sending. */
    readonly timestamp?: Millis;
  };
}[TopicId];
