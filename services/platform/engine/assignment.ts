import type { Lane } from "../contract/lane.ts";
import { Fatal } from "../contract/failure.ts";
import type { LaneProgress, TopicPartition, Subscription } from "../contract/ports.ts";
import type { Keyed, Stage } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { laneStream } from "../contract/stream.ts";
import type { TopicId } from "../../domain/topics.ts";
import type { World } from "./engine.ts";
import { type Frontier, frontier, nameOfPartition } from "./time/watermark.ts";
import { scaledToHeap, heapPressureCount } from "../runtime/memory-limits.ts";
import { type Held, held } from "./intake/reorder-buffer.ts";
import { type Rounds, rounds } from "./time/watermark-probe.ts";

/** Rows kept in memory for the lanes held; beyond, those are forgotten that were written or read the longest ago. */
const MAX_CACHED_ROWS = scaledToHeap(200_000);

/**
 * Events folded in one transaction, about. The more, the less often rows are written that many of them touch; where many
 * timers fire among them, it ends before the last, so that fewer are looked at in the next.
 */
const LEAST_ROOM = scaledToHeap(5_000);
const MOST_ROOM = scaledToHeap(500_000);
const GROWTH = 4;
/** Where more rows than this had to be fetched for one, it touches few of them often: it would only be large. */
const MANY_FETCHED = scaledToHeap(50_000);

/**
 * How many events the next transaction is for.
 * @param last of the one before: events that were given and those that were folded, and rows that weren't in memory
 * @param share of the room that there may be
 */
export const nextRoom = (
  room: number,
  last: { readonly given: number; readonly folded: number; readonly fetched: number },
  share = 1,
): number => {
  if (last.folded < last.given) return Math.max(LEAST_ROOM, 2 * last.folded);
  if (last.fetched > MANY_FETCHED) return Math.max(LEAST_ROOM, Math.floor(room / GROWTH));
  return Math.max(LEAST_ROOM, Math.min(share * MOST_ROOM, last.given < room ? room : GROWTH * room));
};

/** The time in which an engine holds its lanes: what it knows and may write until it lets go or is fenced. */
export interface Tenure<Row, Event> {
  readonly lanes: readonly Lane[];
  readonly places: readonly TopicPartition[];
  /** Whether the processor has no other lanes. */
  readonly isAlone: boolean;
  /** The lanes as they are now, and as they were saved last. */
  readonly holds: Map<Lane, LaneProgress>;
  readonly saved: Map<Lane, LaneProgress>;
  readonly frontier: Frontier;
  readonly rounds: Rounds;
  readonly held: Held<Event>;
  /** By queue, the number of the last record that has come. */
  readonly arrived: Map<string, number>;
  /** Records taken since the last commit, by topic: what is told of it. */
  readonly taken: Map<TopicId, number>;
  /** Rows as of the last commit; null where there is none. */
  readonly cache: Map<string, Row | null>;
  /** The earliest timer, or null. */
  nextDue: Millis | null;
  /** How many events are to be folded in the next transaction at most, about. */
  room: number;
  /** Of the rows and events that may be in memory, the share for which the heap has proved large enough; 1: all. */
  share: number;
  /** How often the heap had been found tight when that was looked at last. */
  tight: number;
  streams(): readonly string[];
  positions(): readonly (TopicPartition & { readonly offset: number })[];
}

/**
 * Claims the lanes of the places and starts delivery where their last commit ended. Throws Fatal where the log ends
 * before that: it is another log than the one that was read.
 * @param aside places of the lore
 */
export const takeOver = async <Row, Event extends Keyed>(
  { name: processor, upstream }: { readonly name: string; readonly upstream: readonly Stage[] },
  places: readonly TopicPartition[],
  lanes: number,
  aside: readonly TopicPartition[],
  world: World,
  subscription: Subscription,
): Promise<Tenure<Row, Event>> => {
  const { store } = world;
  const owned = [...new Set(places.map(({ partition }) => partition % lanes))].toSorted((a, b) => a - b);
  const holds = new Map((await store.claim(processor, owned)).map((hold) => [hold.lane, hold]));
  const cursor = (place: TopicPartition): number | null =>
    holds.get(place.partition % lanes)?.cursors[nameOfPartition(place)] ?? null;
  const start = places.map(cursor);
  await checkEnds(processor, places, start, world);
  places.forEach((place, index) => subscription.seek(place, start[index] ?? null));
  const fed = upstream.map(({ to }) => to);
  const reached = frontier(places, start, lanes, fed, aside);
  const isAlone = owned.length === lanes;
  const progress = () => [...holds.values()];
  const own = { processor, lanes: owned, isAlone, places, aside, progress };
  return {
    lanes: owned,
    places,
    isAlone,
    holds,
    saved: new Map(holds),
    frontier: reached,
    rounds: rounds(upstream, own, reached, world),
    held: held(places, lanes, new Map(holds)),
    arrived: new Map(),
    taken: new Map(),
    cache: new Map(),
    room: LEAST_ROOM,
    share: 1,
    tight: heapPressureCount(),
    nextDue: owned.length === 0 ? null : await store.nextDue(processor, owned),
    streams: () => owned.map((lane) => laneStream(processor, lane)),
    positions: () =>
      places.flatMap((place) => {
        const offset = cursor(place);
        return offset === null ? [] : [{ ...place, offset }];
      }),
  };
};

const checkEnds = async (
  processor: string,
  places: readonly TopicPartition[],
  start: readonly (number | null)[],
  { log }: World,
): Promise<void> => {
  const extents = await log.offsets(places);
  places.forEach((place, index) => {
    const [from, high] = [start[index] ?? 0, extents[index]?.high ?? Infinity];
    if (from > high)
      throw new Fatal(
        `${processor} has taken ${from} records of ${nameOfPartition(place)}, but the log has only ${high}: was the topic made anew? Then its state must be, too`,
      );
  });
};

/** What the share is divided by when the heap is tight, its least, and what it grows by with each transaction else. */
const CUT = 2;
const LEAST_SHARE = 1 / 64;
const RECOVERY = 1.02;

/** Keeps the rows most recently used, within the limit: rows may be of any size, and so it is less where the heap is tight. */
export const remember = <Row>(
  tenure: Pick<Tenure<Row, unknown>, "cache" | "share" | "tight">,
  rows: ReadonlyMap<string, Row | null>,
): void => {
  const times = heapPressureCount();
  tenure.share =
    times > tenure.tight ? Math.max(LEAST_SHARE, tenure.share / CUT) : Math.min(1, tenure.share * RECOVERY);
  tenure.tight = times;
  const { cache } = tenure;
  const most = tenure.share * MAX_CACHED_ROWS;
  for (const [key, row] of rows) {
    cache.delete(key);
    cache.set(key, row);
  }
  for (const key of cache.keys()) {
    if (cache.size <= most) return;
    cache.delete(key);
  }
};
