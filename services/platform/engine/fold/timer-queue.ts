import type { Lane } from "../../contract/lane.ts";
import type { Millis } from "../../contract/time.ts";
import { priorityQueue } from "../../contract/priority-queue.ts";

interface Timer {
  readonly lane: Lane;
  readonly key: string;
  readonly at: Millis;
}

/** Timers in the order of their times, timers of one time in the order of their keys. */
export interface TimerQueue {
  set(lane: Lane, key: string, at: Millis): void;
  /** Takes out the first timer, if its time is before `before`; null where there is none. */
  next(before: Millis): Timer | null;
}

export const timerQueue = (): TimerQueue => {
  const queue = priorityQueue<Timer>((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    set: (lane, key, at) => queue.put(at, { lane, key, at }),
    next: (before) => (queue.next() < before ? (queue.take() ?? null) : null),
  };
};
