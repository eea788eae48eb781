import type { Lane } from "../../contract/lane.ts";
import type { Millis } from "../../contract/time.ts";

interface Alarm {
  readonly lane: Lane;
  readonly key: string;
  readonly at: Millis;
}

/** Timers in the order of their times, those of one time in that of their keys. */
export interface Alarms {
  set(lane: Lane, key: string, at: Millis): void;
  /** The first, if it is of a time before `before`; it is set no longer. */
  next(before: Millis): Alarm | null;
}

/** A binary heap. */
export const alarms = (): Alarms => {
  const heap: Alarm[] = [];
  const isBefore = (a: Alarm, b: Alarm): boolean => a.at < b.at || (a.at === b.at && a.key < b.key);
  /** Puts an alarm where its place is when it moves from `index` to the top or down. */
  const up = (alarm: Alarm, from: number): void => {
    let index = from;
    for (;;) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (index === 0 || parent === undefined || !isBefore(alarm, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = alarm;
  };
  const down = (alarm: Alarm): void => {
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, alarm)) break;
      heap[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    heap[index] = alarm;
  };

  return {
    set: (lane, key, at) => up({ lane, key, at }, heap.length),
    next(before) {
      const [first] = heap;
      if (first === undefined || first.at >= before) return null;
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) down(last);
      return first;
    },
  };
};
