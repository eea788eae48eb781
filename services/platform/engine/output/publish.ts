import type { Codec, Log } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import type { TopicId } from "../../contract/topic.ts";

/** A record to publish; a value of null is a tombstone. */
export interface NewRecord {
  readonly topic: TopicId;
  readonly key: string;
  readonly value: object | null;
  /** The log's timestamp; else the time of sending. */
  readonly timestamp?: Millis;
}

/** Encodes records and puts them on the log. Throws Transient. */
export const publish = (log: Pick<Log, "publish">, codec: Codec, records: readonly NewRecord[]): Promise<void> =>
  log.publish(
    records.map(({ topic, key, value, timestamp }) => ({
      topic,
      key,
      value: value === null ? null : codec.encode(topic, value),
      ...(timestamp === undefined ? {} : { timestamp }),
    })),
  );
