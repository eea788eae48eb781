import { randomUUID } from "node:crypto";
import type { Log, Place, RawRecord } from "../core/ports.ts";
import type { TopicId } from "../core/topics.ts";
import { placeName } from "./frontier.ts";

/** Records handed out at once, about. */
const MAX_SCANNED = 1_000;
const never = new AbortController().signal;

/** `Log.scan` by the log's other calls: a group that nobody joins again reads to the ends. */
export async function* scanOf(
  log: Pick<Log, "partitions" | "extents" | "subscribe">,
  topics: readonly TopicId[],
): AsyncGenerator<readonly RawRecord[]> {
  const counts = await Promise.all(topics.map(async (topic) => [topic, await log.partitions(topic)] as const));
  const places = counts.flatMap(([topic, count]) =>
    Array.from({ length: count }, (_none, partition): Place => ({ topic, partition })),
  );
  const extents = await log.extents(places);
  /** Where each place that still has something is to be read to, and from. */
  const left = new Map<string, { readonly end: number; next: number | null }>();
  places.forEach((place, index) => {
    const { low, high } = extents[index] ?? { low: 0, high: 0 };
    if (high > low) left.set(placeName(place), { end: high, next: null });
  });
  if (left.size === 0) return;
  await using subscription = await log.subscribe(`scan.${randomUUID()}`, topics, 1);
  let assigned: readonly Place[] = [];
  while (left.size > 0) {
    const now = subscription.assigned();
    if (now !== assigned) {
      assigned = now;
      for (const place of now) {
        const of = left.get(placeName(place));
        if (of !== undefined) subscription.seek(place, of.next);
      }
    }
    const slices = subscription.take(MAX_SCANNED);
    for (const { place, records, next } of slices) {
      const of = left.get(placeName(place));
      if (of === undefined) continue;
      const from = of.next ?? 0;
      const fresh = records.filter(({ offset }) => offset >= from && offset < of.end);
      of.next = Math.max(from, next);
      if (of.next >= of.end) left.delete(placeName(place));
      if (fresh.length > 0) yield fresh;
    }
    if (slices.length === 0) await subscription.arrival(never);
  }
}
