import { randomUUID } from "node:crypto";
import type { Log, TopicPartition, RawRecord } from "../contract/ports.ts";
import type { TopicId } from "../../domain/topics.ts";
import { nameOfPartition } from "../engine/time/watermark.ts";

/** Records handed out at once, about. */
const MAX_SCANNED = 1_000;
const never = new AbortController().signal;

/** Reads topics from the first record kept, again and again to where they end by then. */
export interface Reader extends AsyncDisposable {
  /** What it hasn't read yet of what there is at the start, in order within a partition. Throws Transient. */
  toEnd(): AsyncIterable<readonly RawRecord[]>;
}

/** By a group that nobody joins again. Joins at the first record to be read, so that an empty topic leaves no trace. */
export const readerOf = (
  log: Pick<Log, "partitions" | "offsets" | "subscribe">,
  topics: readonly TopicId[],
): Reader => {
  const positions = new Map<string, number>();
  /** Places of which more was taken than was asked for: the rest is delivered again. */
  const behind = new Set<string>();
  let subscription: Awaited<ReturnType<Log["subscribe"]>> | null = null;
  let assigned: readonly TopicPartition[] = [];

  const ends = async (): Promise<Map<string, number>> => {
    const counts = await Promise.all(topics.map(async (topic) => [topic, await log.partitions(topic)] as const));
    const places = counts.flatMap(([topic, count]) =>
      Array.from({ length: count }, (_none, partition): TopicPartition => ({ topic, partition })),
    );
    const extents = await log.offsets(places);
    const left = new Map<string, number>();
    places.forEach((place, index) => {
      const { low, high } = extents[index] ?? { low: 0, high: 0 };
      if (high > Math.max(low, positions.get(nameOfPartition(place)) ?? 0)) left.set(nameOfPartition(place), high);
    });
    return left;
  };

  return {
    async *toEnd() {
      const left = await ends();
      if (left.size === 0) return;
      const isLeft = (place: TopicPartition): boolean => left.has(nameOfPartition(place));
      subscription ??= await log.subscribe(`scan.${randomUUID()}`, topics, 1);
      while (left.size > 0) {
        const now = subscription.assigned();
        for (const place of now)
          if (now !== assigned || behind.delete(nameOfPartition(place)))
            subscription.seek(place, positions.get(nameOfPartition(place)) ?? null);
        assigned = now;
        const slices = subscription.take(MAX_SCANNED, isLeft);
        for (const { place, records, next } of slices) {
          const name = nameOfPartition(place);
          const from = positions.get(name) ?? 0;
          const end = left.get(name) ?? 0;
          const fresh = records.filter(({ offset }) => offset >= from && offset < end);
          positions.set(name, Math.max(from, Math.min(next, end)));
          if (next > end) behind.add(name);
          if (next >= end) left.delete(name);
          if (fresh.length > 0) yield fresh;
        }
        if (slices.length === 0) await subscription.arrival(never, isLeft);
      }
    },
    async [Symbol.asyncDispose]() {
      await subscription?.[Symbol.asyncDispose]();
    },
  };
};

/** `Log.scan` by the log's other calls: in order within a partition to where the topics ended at the start. */
export async function* scanOf(
  log: Pick<Log, "partitions" | "offsets" | "subscribe">,
  topics: readonly TopicId[],
): AsyncGenerator<readonly RawRecord[]> {
  await using reader = readerOf(log, topics);
  yield* reader.toEnd();
}
