import type { TopicId } from "../../contract/topic.ts";
import { nameOfPartition } from "../../contract/topic-partition.ts";
import type { Outgoing } from "../../contract/ports.ts";

/** A record on its way to a partition. */
export type Placed = Outgoing & { readonly partition: number };

/** Bytes of a batch of several records, below Kafka's default limit of 1 MB for a batch; and bytes of a request. */
export const MAX_BATCH = 900_000;
export const MAX_REQUEST = 16 * 1024 * 1024;
/** Bytes at most that a record takes beside its key, value and headers. */
const OVERHEAD = 64;

/**
 * Splits records into produce requests, in their order. A request's records for one partition become one batch, and a
 * broker refuses a batch beyond its limit.
 */
export const produceRequests = (records: readonly Placed[]): readonly (readonly Placed[])[] => {
  const split: Placed[][] = [];
  let total = 0;
  let batches = new Map<string, number>();
  for (const record of records) {
    const partition = nameOfPartition(record);
    const size = sizeOf(record);
    const batch = batches.get(partition) ?? 0;
    const isFull = (batch > 0 && batch + size > MAX_BATCH) || (total > 0 && total + size > MAX_REQUEST);
    if (split.length === 0 || isFull) {
      split.push([]);
      total = 0;
      batches = new Map();
    }
    split.at(-1)?.push(record);
    total += size;
    batches.set(partition, (batches.get(partition) ?? 0) + size);
  }
  return split;
};

/** A partition that the log has answered for. */
export interface Answered {
  readonly topic: TopicId;
  readonly partition: number;
}

/** The records of partitions that no answer names. */
export const unanswered = (records: readonly Placed[], answers: readonly Answered[]): readonly Placed[] => {
  const answered = new Set(answers.map(nameOfPartition));
  return records.filter((record) => !answered.has(nameOfPartition(record)));
};

const sizeOf = ({ key, value, headers = {} }: Placed): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text),
    OVERHEAD + Buffer.byteLength(key ?? "") + (value?.length ?? 0),
  );
