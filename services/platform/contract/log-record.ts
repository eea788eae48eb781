import type { Millis } from "./time.ts";
import type { TopicId } from "./topic.ts";

/** A decoded record of the log. */
export interface LogRecord {
  readonly topic: TopicId;
  /** The record's key in UTF-8; "" where the topic has none. */
  readonly key: string;
  /** The value by the topic's schema; null is a tombstone. */
  readonly value: object | null;
  /** Its own time, `occurredAt`, but never later than the record's Kafka timestamp; a tombstone's is that timestamp. */
  readonly at: Millis;
  /** The log's own timestamp of the record. */
  readonly loggedAt: Millis;
}
