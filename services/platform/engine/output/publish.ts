import type { Values } from "../../../domain/log-record.ts";
import type { Codec, Log } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import type { TopicId } from "../../../domain/topics.ts";

/** A record in the program's own terms; a value of null is a tombstone. */
export type NewRecord = {
  readonly [T in TopicId]: {
    readonly topic: T;
    readonly key: string;
    readonly value: Values[T] | null;
    /** The log's timestamp; else the time of sending. */
    readonly timestamp?: Millis;
  };
}[TopicId];

/** Encodes records and puts them on the log. Throws Transient. */
export const publish = (log: Log, codec: Codec, records: readonly NewRecord[]): Promise<void> =>
  log.publish(
    records.map(({ topic, key, value, timestamp }) => ({
      topic,
      key,
      value: value === null ? null : codec.encode(topic, value),
      ...(timestamp === undefined ? {} : { timestamp }),
    })),
  );
