import type { RecordOf } from "../domain/log-record.ts";
import { isPoisonous } from "../platform/contract/failure.ts";
import type { Codec, RawRecord } from "../platform/contract/ports.ts";
import type { TopicId } from "../domain/topics.ts";
import type { CommandDeps } from "./command-deps.ts";

/**
 * Reads the present records of a topic, decoded, with each partition in its order; with `only`, those of one partition.
 * Undecodable records are left out, as services do. Throws Transient.
 */
export async function* readWhole<T extends TopicId>(
  { log, codec }: CommandDeps,
  topic: T,
  only?: number,
): AsyncGenerator<RecordOf<T>> {
  for await (const all of log.scan([topic])) {
    const raws = only === undefined ? all : all.filter(({ partition }) => partition === only);
    await codec.prepare(raws);
    for (const raw of raws) {
      const record = decoded(raw, codec);
      if (record !== null) yield record as RecordOf<T>;
    }
  }
}

const utf8 = new TextDecoder();

/** Decodes a record; null: its value can't be decoded. */
export const decoded = (raw: RawRecord, codec: Codec): RecordOf<TopicId> | null => {
  const { topic, timestamp } = raw;
  try {
    const value = raw.value === null ? null : (codec.decode(topic, raw.value) as RecordOf<TopicId>["value"]);
    const occurredAt = (value as { readonly occurredAt?: number } | null)?.occurredAt ?? timestamp;
    return {
      topic: topic as TopicId, // the log was asked for no other
      key: raw.key === null ? "" : utf8.decode(raw.key),
      value,
      at: Math.min(occurredAt, timestamp),
      loggedAt: timestamp,
    };
  } catch (error) {
    if (isPoisonous(error)) return null;
    throw error;
  }
};
