import type { Log, Store } from "../../contract/ports.ts";
import type { Feed } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, partitionsOf } from "./watermark.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import type { Relay } from "../output/relay.ts";

/**
 * How far a processor is ahead of the one that it feeds. That one holds in memory what was logged later than the time that
 * all who feed it have come to: where some are far ahead, or it was away itself, this would have no bound.
 */
export interface Backpressure {
  /** Whether what comes after `time` must wait: enough lies there, and is not folded up to this time. Throws Transient. */
  isLong(time: Millis): Promise<boolean>;
  /** So many records more are on their way there. */
  send(records: number): void;
}

/** @param feeds what it feeds; undefined: nothing that has to keep up */
export const backpressure = async (
  feeds: Feed | undefined,
  { log, store, relay }: { readonly log: Log; readonly store: Store; readonly relay: Pick<Relay, "backlog"> },
): Promise<Backpressure> => {
  if (feeds === undefined) return { isLong: () => Promise.resolve(false), send: () => undefined };
  const { processor, topic } = feeds;
  const most = scaledToHeap(feeds.most);
  const places = await partitionsOf(log, [topic]);
  /** Records that may lie there now. */
  let waiting = Infinity;

  /** Counts them anew; returns the least time that those have come to who have some of them. */
  const look = async (): Promise<Millis> => {
    waiting = relay.backlog();
    const lanes = new Map((await store.progress(processor, topic)).map((one) => [one.lane, one]));
    const extents = await log.offsets(places);
    let come = Infinity;
    places.forEach((place, index) => {
      const { low, high } = extents[index] ?? { low: 0, high: Infinity };
      const its = lanes.get(place.partition);
      const left = high - Math.max(low, its?.cursors[nameOfPartition(place)] ?? 0);
      if (left <= 0) return;
      waiting += left;
      come = Math.min(come, its?.watermark ?? -1);
    });
    return come;
  };

  return {
    async isLong(time) {
      if (waiting < most) return false;
      const come = await look();
      return waiting >= most && time > come;
    },
    send: (records) => void (waiting += records),
  };
};
