import { expect, test } from "vitest";
import { type TimerQueue, timerQueue } from "./timer-queue.ts";

/** Keys of the timers before a time, as the queue hands them out. */
const keysBefore = (queue: TimerQueue, before: number): readonly string[] => {
  const keys: string[] = [];
  for (let next = queue.next(before); next !== null; next = queue.next(before)) keys.push(next.key);
  return keys;
};

test("timers come out in the order of their times, not in the order in which they were set", () => {
  const queue = timerQueue();
  queue.set(0, "late", 30);
  queue.set(0, "early", 10);
  queue.set(0, "middle", 20);
  expect(keysBefore(queue, Infinity)).toEqual(["early", "middle", "late"]);
});

test("timers of one time come out in the order of their keys", () => {
  const queue = timerQueue();
  for (const key of ["c", "a", "d", "b"]) queue.set(0, key, 10);
  expect(keysBefore(queue, Infinity)).toEqual(["a", "b", "c", "d"]);
});

test("a timer stays in the queue until its time has passed", () => {
  const queue = timerQueue();
  queue.set(0, "a", 10);
  expect(queue.next(10)).toBeNull();
  expect(queue.next(11)).toEqual({ lane: 0, key: "a", at: 10 });
  expect(queue.next(Infinity)).toBeNull();
});

test("a timer that is set while others come out takes its place among them", () => {
  const queue = timerQueue();
  queue.set(0, "first", 10);
  queue.set(0, "last", 30);
  expect(queue.next(Infinity)?.key).toBe("first");
  queue.set(1, "between", 20);
  expect(queue.next(Infinity)).toEqual({ lane: 1, key: "between", at: 20 });
  expect(keysBefore(queue, Infinity)).toEqual(["last"]);
});

test("a key that is set twice has two timers", () => {
  const queue = timerQueue();
  queue.set(0, "a", 20);
  queue.set(0, "a", 10);
  expect([queue.next(Infinity)?.at, queue.next(Infinity)?.at, queue.next(Infinity)]).toEqual([10, 20, null]);
});

test("an empty queue has no timer", () => {
  expect(timerQueue().next(Infinity)).toBeNull();
});
