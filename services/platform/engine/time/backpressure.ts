import type { Feed } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, partitionsOf } from "../../contract/topic-partition.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import type { Relay } from "../output/relay.ts";
import type { World } from "../world.ts";

/**
 * Backpressure. The downstream processor keeps in memory every record newer than its watermark, and the slowest upstream
 * lane holds that watermark back. Without this limit one fast lane, or an outage downstream, would fill memory.
 */
export interface Backpressure {
  /** Tells whether records after `time` must wait: enough lie downstream that are not folded up to this time. Throws Transient. */
  isExceeded(time: Millis): Promise<boolean>;
  /** Notes records on their way downstream. */
  send(records: number): void;
}

/** @param feed the processor downstream; undefined: none that has to keep up */
export const backpressure = async (
  feed: Feed | undefined,
  { log, store, relay }: Pick<World, "log" | "store"> & { readonly relay: Pick<Relay, "backlog"> },
): Promise<Backpressure> => {
  if (feed === undefined) return { isExceeded: () => Promise.resolve(false), send: () => undefined };
  const { processor, topic } = feed;
  const maxPending = scaledToHeap(feed.most);
  const partitions = await partitionsOf(log, [topic]);
  /** Records that may lie downstream now. */
  let pending = Infinity;

  /** Counts the pending records anew; returns the least watermark of the lanes that have some. */
  const count = async (): Promise<Millis> => {
    pending = relay.backlog();
    const lanes = new Map((await store.progress(processor, topic)).map((lane) => [lane.lane, lane]));
    const offsets = await log.offsets(partitions);
    let watermark = Infinity;
    partitions.forEach((partition, index) => {
      const { low, high } = offsets[index] ?? { low: 0, high: Infinity };
      const lane = lanes.get(partition.partition);
      const left = high - Math.max(low, lane?.cursors[nameOfPartition(partition)] ?? 0);
      if (left <= 0) return;
      pending += left;
      watermark = Math.min(watermark, lane?.watermark ?? -1);
    });
    return watermark;
  };

  return {
    async isExceeded(time) {
      if (pending < maxPending) return false;
      const watermark = await count();
      return pending >= maxPending && time > watermark;
    },
    send: (records) => void (pending += records),
  };
};
