import { Fatal } from "../contract/failure.ts";
import type { Lane } from "../contract/lane.ts";
import type { LaneProgress, Store, Subscription } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import { laneStream } from "../contract/stream.ts";
import type { Millis } from "../contract/time.ts";
import { nameOfPartition, type TopicPartition } from "../contract/topic-partition.ts";
import type { TopicId } from "../contract/topic.ts";
import { heapPressureCount, scaledToHeap } from "../runtime/memory-limits.ts";
import { type ReorderBuffer, reorderBuffer } from "./intake/reorder-buffer.ts";
import { openWatermark, type Watermark } from "./time/watermark.ts";
import { type WatermarkProbe, watermarkProbe } from "./time/watermark-probe.ts";
import type { World } from "./world.ts";

/** Rows kept in memory for the lanes claimed; beyond, the rows that were written or read the longest ago are dropped. */
const MAX_CACHED_ROWS = scaledToHeap(200_000);

/**
 * Events folded in one transaction, about. The more, the less often rows are written that many of them touch. Where many
 * timers fire among them, it ends before the last, so that fewer are taken for the next.
 */
const MIN_BATCH = scaledToHeap(5_000);
const MAX_BATCH = scaledToHeap(500_000);
const GROWTH = 4;
/** A batch that fetched more rows than this touches few of them often: a larger one would only be large. */
const MANY_FETCHED = scaledToHeap(50_000);

/**
 * Number of events for the next transaction.
 * @param last the one before: events that it was given and those that it folded, and rows that weren't in memory
 * @param memoryShare share of the largest batch that there may be
 */
export const nextBatchSize = (
  batchSize: number,
  last: { readonly given: number; readonly folded: number; readonly fetched: number },
  memoryShare = 1,
): number => {
  if (last.folded < last.given) return Math.max(MIN_BATCH, 2 * last.folded);
  if (last.fetched > MANY_FETCHED) return Math.max(MIN_BATCH, Math.floor(batchSize / GROWTH));
  return Math.max(
    MIN_BATCH,
    Math.min(memoryShare * MAX_BATCH, last.given < batchSize ? batchSize : GROWTH * batchSize),
  );
};

/** The lanes that an engine has claimed, and its state of them until it lets go or is fenced. */
export interface Assignment<Row, Event> {
  readonly lanes: readonly Lane[];
  readonly partitions: readonly TopicPartition[];
  /** True: all of the processor's lanes are here. */
  readonly isAlone: boolean;
  /** Progress of the lanes as it is now, and as it was saved last. */
  readonly progress: Map<Lane, LaneProgress>;
  readonly saved: Map<Lane, LaneProgress>;
  readonly watermark: Watermark;
  readonly watermarkProbe: WatermarkProbe;
  readonly reorderBuffer: ReorderBuffer<Event>;
  /** By queue, the number of the last record read. */
  readonly lastRead: Map<string, number>;
  /** Records read since the last commit, by topic. */
  readonly recordsRead: Map<TopicId, number>;
  /** Rows as of the last commit; null where there is none. */
  readonly cache: Map<string, Row | null>;
  /** The earliest timer, or null. */
  nextDue: Millis | null;
  /** Number of events for the next transaction, about. */
  batchSize: number;
  /** Share of the rows and events allowed in memory for which the heap has proved large enough; 1: all. */
  memoryShare: number;
  /** Number of times that the heap was under pressure, as last seen. */
  pressureSeen: number;
  streams(): readonly string[];
  positions(): readonly (TopicPartition & { readonly offset: number })[];
}

/** The earliest timer of the lanes; null where there is none. */
export const nextDueOf = async (
  { name, isStateless }: Pick<Processor<unknown, Keyed, unknown>, "name" | "isStateless">,
  store: Pick<Store, "nextDue">,
  lanes: readonly Lane[],
): Promise<Millis | null> => (isStateless === true || lanes.length === 0 ? null : store.nextDue(name, lanes));

/**
 * Claims the lanes of the partitions and starts delivery where their last commit ended. Throws Fatal where the log ends
 * before that: it is another log than the one that was read.
 * @param global partitions of the global table
 */
export const claimLanes = async <Row, Event extends Keyed>(
  processor: Pick<Processor<unknown, Keyed, unknown>, "name" | "upstream" | "isStateless">,
  partitions: readonly TopicPartition[],
  lanes: number,
  global: readonly TopicPartition[],
  world: World,
  subscription: Subscription,
): Promise<Assignment<Row, Event>> => {
  const { name, upstream } = processor;
  const { store } = world;
  const owned = [...new Set(partitions.map(({ partition }) => partition % lanes))].toSorted((a, b) => a - b);
  const progress = new Map((await store.claim(name, owned)).map((lane) => [lane.lane, lane]));
  const cursor = (partition: TopicPartition): number | null =>
    progress.get(partition.partition % lanes)?.cursors[nameOfPartition(partition)] ?? null;
  const start = partitions.map(cursor);
  await checkEnds(name, partitions, start, world);
  partitions.forEach((partition, index) => subscription.seek(partition, start[index] ?? null));
  const fed = upstream.map(({ to }) => to);
  const watermark = openWatermark(partitions, start, lanes, fed, global);
  const isAlone = owned.length === lanes;
  const own = { processor: name, lanes: owned, isAlone, partitions, global, progress: () => [...progress.values()] };
  return {
    lanes: owned,
    partitions,
    isAlone,
    progress,
    saved: new Map(progress),
    watermark,
    watermarkProbe: watermarkProbe(upstream, own, watermark, world),
    reorderBuffer: reorderBuffer(partitions, lanes, new Map(progress), world.product),
    lastRead: new Map(),
    recordsRead: new Map(),
    cache: new Map(),
    batchSize: MIN_BATCH,
    memoryShare: 1,
    pressureSeen: heapPressureCount(),
    nextDue: await nextDueOf(processor, store, owned),
    streams: () => owned.map((lane) => laneStream(name, lane)),
    positions: () =>
      partitions.flatMap((partition) => {
        const offset = cursor(partition);
        return offset === null ? [] : [{ ...partition, offset }];
      }),
  };
};

const checkEnds = async (
  processor: string,
  partitions: readonly TopicPartition[],
  start: readonly (number | null)[],
  { log }: World,
): Promise<void> => {
  const offsets = await log.offsets(partitions);
  partitions.forEach((partition, index) => {
    const [from, high] = [start[index] ?? 0, offsets[index]?.high ?? Infinity];
    if (from > high)
      throw new Fatal(
        `${processor} has read ${nameOfPartition(partition)} up to offset ${from}, but the log ends at ${high}. A topic that was deleted and created again needs a new state, too`,
      );
  });
};

/** Divisor of the memory share when the heap is under pressure, its least, and its growth with each other transaction. */
const CUT = 2;
const LEAST_SHARE = 1 / 64;
const RECOVERY = 1.02;

/** Caches the rows used last, within the limit. Rows may be of any size, so the limit is less under heap pressure. */
export const remember = <Row>(
  assignment: Pick<Assignment<Row, unknown>, "cache" | "memoryShare" | "pressureSeen">,
  rows: ReadonlyMap<string, Row | null>,
): void => {
  const pressure = heapPressureCount();
  assignment.memoryShare =
    pressure > assignment.pressureSeen
      ? Math.max(LEAST_SHARE, assignment.memoryShare / CUT)
      : Math.min(1, assignment.memoryShare * RECOVERY);
  assignment.pressureSeen = pressure;
  const { cache } = assignment;
  const most = assignment.memoryShare * MAX_CACHED_ROWS;
  for (const [key, row] of rows) {
    cache.delete(key);
    cache.set(key, row);
  }
  for (const key of cache.keys()) {
    if (cache.size <= most) return;
    cache.delete(key);
  }
};
