import type { Lane } from "../../contract/lane.ts";
import type { OffsetRange } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, type TopicPartition } from "../../contract/topic-partition.ts";
import type { TopicId } from "../../contract/topic.ts";

/**
 * The watermark: every record that the log had by its time has been read here, on every partition of every lane.
 */
export interface Watermark {
  /** Notes that everything of the partition before `next` has been read; the latest of it was logged at `latest`. */
  advance(partition: TopicPartition, next: number, latest: Millis): void;
  /** Notes that every record which was to come to the partition by `time` lies within these offsets. */
  setEnd(partition: TopicPartition, offsets: OffsetRange, time: Millis): void;
  /** The offset up to which the partition is read. */
  position(partition: TopicPartition): number;
  /** The least time that any partition has reached. */
  time(): Millis;
  /** The least time that any partition of the lane has reached, of those that no stage upstream writes. */
  readTime(lane: Lane): Millis;
  /** Tells whether the watermark waits until more of this partition is read. */
  waitsFor(partition: TopicPartition): boolean;
  /** Tells whether the partitions that stages upstream write are read to the ends set. */
  isRead(): boolean;
  /** Number of records known to be on the log and not read. */
  lag(): number;
}

interface Position {
  readonly lane: Lane | null;
  /** Stages upstream write it, several at once: the times of its records don't rise. */
  readonly isFed: boolean;
  next: number;
  /** The latest timestamp that was read; records behind it on the partition were logged no earlier. */
  latest: Millis;
  end: number;
  endTime: Millis;
  time: Millis;
}

const positionAt = (lane: Lane | null, isFed: boolean, next: number): Position => ({
  lane,
  isFed,
  next,
  latest: -1,
  end: Infinity,
  endTime: -1,
  time: -1,
});

/** Moves the time of a partition to where it was read, or to that of its end. */
const move = (position: Position): void => {
  if (position.next >= position.end) position.time = Math.max(position.time, position.endTime);
  if (!position.isFed) position.time = Math.max(position.time, position.latest - 1);
};

const least = (some: readonly Position[]): Millis =>
  some.reduce((time, position) => Math.min(time, position.time), Infinity);

/**
 * @param start the offset from which each partition is read, in the order of `partitions`
 * @param fed topics that stages upstream write
 * @param global partitions of the global table, which belong to no lane
 */
export const openWatermark = (
  partitions: readonly TopicPartition[],
  start: readonly (number | null)[],
  lanes: number,
  fed: readonly TopicId[],
  global: readonly TopicPartition[],
): Watermark => {
  const positions = new Map<string, Position>([
    ...partitions.map((partition, index): readonly [string, Position] => [
      nameOfPartition(partition),
      positionAt(partition.partition % lanes, fed.includes(partition.topic), start[index] ?? 0),
    ]),
    ...global.map((partition): readonly [string, Position] => [nameOfPartition(partition), positionAt(null, false, 0)]),
  ]);
  const all = [...positions.values()];

  return {
    advance(partition, next, latest) {
      const position = positions.get(nameOfPartition(partition));
      if (position === undefined) return;
      position.next = Math.max(position.next, next);
      position.latest = Math.max(position.latest, latest);
      move(position);
    },
    setEnd(partition, { low, high }, time) {
      const position = positions.get(nameOfPartition(partition));
      if (position === undefined) return;
      position.next = Math.max(position.next, low);
      position.end = high;
      position.endTime = time;
      move(position);
    },
    position: (partition) => positions.get(nameOfPartition(partition))?.next ?? 0,
    time: () => least(all),
    readTime: (lane) => least(all.filter((position) => position.lane === lane && !position.isFed)),
    waitsFor(partition) {
      const position = positions.get(nameOfPartition(partition));
      return position !== undefined && position.next < position.end && position.time <= least(all);
    },
    isRead: () => all.every((position) => !position.isFed || position.next >= position.end),
    lag: () => all.reduce((sum, { next, end }) => sum + (end > next && end !== Infinity ? end - next : 0), 0),
  };
};
