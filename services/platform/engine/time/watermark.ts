import type { Lane } from "../../contract/lane.ts";
import type { OffsetRange, Log, TopicPartition } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import type { TopicId } from "../../../domain/topics.ts";

/**
 * How far the stream has come: nothing that the log had by its time is still to be read here, on any place of any lane
 * (semantics: "Time is the log's").
 */
export interface Frontier {
  /** Everything of the place before `next` has been read; the latest of it was logged at `latest`. */
  reach(place: TopicPartition, next: number, latest: Millis): void;
  /** All that was to come to the place by `time` lies within this extent. */
  note(place: TopicPartition, extent: OffsetRange, time: Millis): void;
  /** The offset up to which the place is read. */
  position(place: TopicPartition): number;
  /** The least time that all places have come to. */
  time(): Millis;
  /** The least time that the lane's places have come to which no stage before feeds. */
  examinedTime(lane: Lane): Millis;
  /** Whether the time stands still until more of this place is read. */
  waitsFor(place: TopicPartition): boolean;
  /** Whether the places that stages before feed are read to the ends noted. */
  isRead(): boolean;
  /** Records known to be on the log and not read. */
  lag(): number;
}

interface Spot {
  readonly lane: Lane | null;
  /** Stages before this one feed it, several at once: the times in it tell nothing of what is still to come. */
  readonly isFed: boolean;
  next: number;
  /** The latest that was read; what follows on the partition was logged no earlier. */
  latest: Millis;
  end: number;
  endTime: Millis;
  time: Millis;
}

export const nameOfPartition = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** All places of the topics. Throws Transient. */
export const partitionsOf = async (
  log: Pick<Log, "partitions">,
  topics: Iterable<TopicId>,
): Promise<readonly TopicPartition[]> => {
  const counts = await Promise.all(Array.from(topics, async (topic) => [topic, await log.partitions(topic)] as const));
  return counts.flatMap(([topic, count]) =>
    Array.from({ length: count }, (_none, partition) => ({ topic, partition })),
  );
};

/**
 * @param start the offset from which each place is read, in the order of `places`
 * @param fed topics that stages before this one feed
 * @param aside places that belong to no lane
 */
export const frontier = (
  places: readonly TopicPartition[],
  start: readonly (number | null)[],
  lanes: number,
  fed: readonly TopicId[],
  aside: readonly TopicPartition[],
): Frontier => {
  const spot = (lane: Lane | null, isFed: boolean, next: number): Spot => ({
    lane,
    isFed,
    next,
    latest: -1,
    end: Infinity,
    endTime: -1,
    time: -1,
  });
  const spots = new Map<string, Spot>([
    ...places.map(
      (place, index) =>
        [nameOfPartition(place), spot(place.partition % lanes, fed.includes(place.topic), start[index] ?? 0)] as const,
    ),
    ...aside.map((place) => [nameOfPartition(place), spot(null, false, 0)] as const),
  ]);
  const all = [...spots.values()];
  const move = (of: Spot): void => {
    if (of.next >= of.end) of.time = Math.max(of.time, of.endTime);
    if (!of.isFed) of.time = Math.max(of.time, of.latest - 1);
  };
  const least = (some: readonly Spot[]): Millis => some.reduce((time, of) => Math.min(time, of.time), Infinity);

  return {
    reach(place, next, latest) {
      const of = spots.get(nameOfPartition(place));
      if (of === undefined) return;
      of.next = Math.max(of.next, next);
      of.latest = Math.max(of.latest, latest);
      move(of);
    },
    note(place, { low, high }, time) {
      const of = spots.get(nameOfPartition(place));
      if (of === undefined) return;
      of.next = Math.max(of.next, low);
      of.end = high;
      of.endTime = time;
      move(of);
    },
    position: (place) => spots.get(nameOfPartition(place))?.next ?? 0,
    time: () => least(all),
    examinedTime: (lane) => least(all.filter((of) => of.lane === lane && !of.isFed)),
    waitsFor(place) {
      const of = spots.get(nameOfPartition(place));
      return of !== undefined && of.next < of.end && of.time <= least(all);
    },
    isRead: () => all.every((of) => !of.isFed || of.next >= of.end),
    lag: () => all.reduce((sum, { next, end }) => sum + (end > next && end !== Infinity ? end - next : 0), 0),
  };
};
