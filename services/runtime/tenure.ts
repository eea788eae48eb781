import type { Lane } from "../core/lane.ts";
import { Fatal } from "../core/failure.ts";
import type { Hold, Place, Subscription } from "../core/ports.ts";
import type { Stage } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import { laneStream } from "../core/stream.ts";
import type { World } from "./engine.ts";
import { type Horizon, horizon } from "./horizon.ts";
import { type Rounds, rounds } from "./round.ts";

/** Rows kept in memory for the lanes held; beyond, those are forgotten that were written or read the longest ago. */
const MAX_CACHED_ROWS = 200_000;

/** The time in which an engine holds its lanes: what it knows and may write until it lets go or is fenced. */
export interface Tenure<Row> {
  readonly lanes: readonly Lane[];
  readonly places: readonly Place[];
  readonly holds: Map<Lane, Hold>;
  readonly horizon: Horizon;
  readonly rounds: Rounds;
  /** Rows as of the last commit; null where there is none. */
  readonly cache: Map<string, Row | null>;
  /** The earliest timer, or null. */
  nextDue: Millis | null;
  streams(): readonly string[];
  positions(): readonly (Place & { readonly offset: number })[];
}

export const cursorName = ({ topic, partition }: Place): string => `${topic}/${partition}`;

/**
 * Claims the lanes of the places and starts delivery where their last commit ended. Throws Fatal where the log ends
 * before that: it is another log than the one that was read.
 */
export const takeOver = async <Row>(
  { name: processor, upstream }: { readonly name: string; readonly upstream: readonly Stage[] },
  places: readonly Place[],
  lanes: number,
  world: World,
  subscription: Subscription,
): Promise<Tenure<Row>> => {
  const { store, log } = world;
  const owned = [...new Set(places.map(({ partition }) => partition % lanes))].toSorted((a, b) => a - b);
  const holds = new Map((await store.claim(processor, owned)).map((hold) => [hold.lane, hold]));
  const cursor = (place: Place): number | null =>
    holds.get(place.partition % lanes)?.cursors[cursorName(place)] ?? null;
  const start = places.map(cursor);
  const extents = await log.extents(places);
  places.forEach((place, index) => {
    const [from, high] = [start[index] ?? 0, extents[index]?.high ?? Infinity];
    if (from > high)
      throw new Fatal(
        `${processor} has taken ${from} records of ${cursorName(place)}, but the log has only ${high}: was the topic made anew? Then its state must be, too`,
      );
  });
  places.forEach((place, index) => subscription.seek(place, start[index] ?? null));
  const reached = horizon(
    places,
    start,
    lanes,
    upstream.map(({ to }) => to),
  );
  return {
    lanes: owned,
    places,
    holds,
    horizon: reached,
    rounds: rounds(upstream, places, reached, world),
    cache: new Map(),
    nextDue: await store.nextDue(processor, owned),
    streams: () => owned.map((lane) => laneStream(processor, lane)),
    positions: () =>
      places.flatMap((place) => {
        const offset = cursor(place);
        return offset === null ? [] : [{ ...place, offset }];
      }),
  };
};

/** Keeps the rows most recently used, within the limit. */
export const remember = <Row>(cache: Map<string, Row | null>, rows: ReadonlyMap<string, Row | null>): void => {
  for (const [key, row] of rows) {
    cache.delete(key);
    cache.set(key, row);
  }
  for (const key of cache.keys()) {
    if (cache.size <= MAX_CACHED_ROWS) return;
    cache.delete(key);
  }
};
