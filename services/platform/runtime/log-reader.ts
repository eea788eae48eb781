import { randomUUID } from "node:crypto";
import type { Log, RawRecord } from "../contract/ports.ts";
import { nameOfPartition, partitionsOf, type TopicPartition } from "../contract/topic-partition.ts";
import type { TopicId } from "../contract/topic.ts";

/** Records yielded at once, about. */
const MAX_SCANNED = 1_000;
const never = new AbortController().signal;

/** A reader of topics: from the first record kept to their ends, and later on to their new ends. */
export interface Reader extends AsyncDisposable {
  /** Yields the records up to the present ends that were not read before, in order within a partition. Throws Transient. */
  toEnd(): AsyncIterable<readonly RawRecord[]>;
}

/** Reads by a new group, which is joined at the first record to be read: empty topics leave no trace. */
export const readerOf = (
  log: Pick<Log, "partitions" | "offsets" | "subscribe">,
  topics: readonly TopicId[],
): Reader => {
  const positions = new Map<string, number>();
  /** Partitions of which records behind the end were taken: these are delivered again. */
  const behind = new Set<string>();
  let subscription: Awaited<ReturnType<Log["subscribe"]>> | null = null;
  let assigned: readonly TopicPartition[] = [];

  const ends = async (): Promise<Map<string, number>> => {
    const partitions = await partitionsOf(log, topics);
    const offsets = await log.offsets(partitions);
    const left = new Map<string, number>();
    partitions.forEach((partition, index) => {
      const name = nameOfPartition(partition);
      const { low, high } = offsets[index] ?? { low: 0, high: 0 };
      if (high > Math.max(low, positions.get(name) ?? 0)) left.set(name, high);
    });
    return left;
  };

  return {
    async *toEnd() {
      const left = await ends();
      if (left.size === 0) return;
      const isLeft = (partition: TopicPartition): boolean => left.has(nameOfPartition(partition));
      subscription ??= await log.subscribe(`scan.${randomUUID()}`, topics, 1);
      while (left.size > 0) {
        const now = subscription.assigned();
        for (const partition of now)
          if (now !== assigned || behind.delete(nameOfPartition(partition)))
            subscription.seek(partition, positions.get(nameOfPartition(partition)) ?? null);
        assigned = now;
        const fetched = subscription.take(MAX_SCANNED, isLeft);
        for (const { from, records, next } of fetched) {
          const name = nameOfPartition(from);
          const start = positions.get(name) ?? 0;
          const end = left.get(name) ?? 0;
          const fresh = records.filter(({ offset }) => offset >= start && offset < end);
          positions.set(name, Math.max(start, Math.min(next, end)));
          if (next > end) behind.add(name);
          if (next >= end) left.delete(name);
          if (fresh.length > 0) yield fresh;
        }
        if (fetched.length === 0) await subscription.arrival(never, isLeft);
      }
    },
    async [Symbol.asyncDispose]() {
      await subscription?.[Symbol.asyncDispose]();
    },
  };
};

/** Scans topics by the log's other calls: to their ends at the start, in order within a partition (`Log.scan`). */
export async function* scanOf(
  log: Pick<Log, "partitions" | "offsets" | "subscribe">,
  topics: readonly TopicId[],
): AsyncGenerator<readonly RawRecord[]> {
  await using reader = readerOf(log, topics);
  yield* reader.toEnd();
}
