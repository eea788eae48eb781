import { product } from "../../../domain/topics.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicPartition } from "../../contract/topic-partition.ts";
import type { LaneProgress } from "../../contract/ports.ts";
import { reorderBuffer } from "./reorder-buffer.ts";

const presence: TopicPartition = { topic: "presence", partition: 0 };
const inbox: TopicPartition = { topic: "inbox", partition: 0 };
const partitions = [presence, inbox];
const unclaimed: LaneProgress = {
  lane: 0,
  epoch: 1,
  cursors: {},
  lastSequence: {},
  partiallyFolded: {},
  lastTime: {},
  sequence: 0,
  watermark: -1,
  readOffsets: {},
  readWatermark: -1,
};

interface Said {
  readonly key: string;
  readonly keys?: readonly string[];
  readonly at: number;
  readonly loggedAt: number;
}

const open = (progress: LaneProgress = unclaimed) =>
  reorderBuffer<Said>(partitions, 1, new Map([[0, progress]]), product);
const record = (
  from: TopicPartition,
  offset: number,
  queue: string,
  number: number,
  loggedAt: readonly number[],
  size = 0,
) => ({
  lane: 0,
  from,
  raw: { ...from, offset, timestamp: 0, key: null, value: new Uint8Array(size), headers: {} },
  origin: { ...from, offset },
  queue,
  number,
  events: loggedAt.map((time, index) => ({ key: `${queue} ${number}.${index}`, at: time, loggedAt: time })),
});
const keysOf = ({ items }: ReturnType<ReturnType<typeof open>["ready"]>): readonly string[] =>
  items.map(({ event }) => event.key);

describe("the events in the reorder buffer", () => {
  test("are ready in the order of time across queues, and never before an earlier event of their partition", () => {
    const waiting = open();
    waiting.add(record(presence, 0, "p", 0, [5]));
    waiting.add(record(presence, 1, "p", 1, [3])); // the producer's clock was behind
    waiting.add(record(inbox, 0, "a", 1, [4, 6]));
    waiting.add(record(inbox, 1, "b", 1, [1]));
    expect(waiting.earliest()).toBe(1);
    expect(keysOf(waiting.ready(5, 10))).toEqual(["b 1.0", "a 1.0", "p 0.0", "p 1.0"]);
    expect(waiting.ready(5, 10).items.find(({ event }) => event.key === "p 1.0")?.event.loggedAt).toBe(5);
  });

  test("are cut only between two times", () => {
    const waiting = open();
    waiting.add(record(presence, 0, "p", 0, [1, 2, 2, 2, 3]));
    waiting.add(record(inbox, 0, "a", 1, [2, 4]));
    expect(waiting.ready(9, 2)).toMatchObject({ until: 2, items: { length: 5 } });
    expect(waiting.ready(9, 1)).toMatchObject({ until: 1, items: { length: 1 } });
    expect(waiting.ready(9, 9)).toMatchObject({ until: 9, items: { length: 7 } });
    expect(waiting.ready(0, 9)).toMatchObject({ until: 0, items: [] });
  });

  test("keep the cursor at the first that is not folded, and the progress names those folded behind it", () => {
    const waiting = open();
    waiting.add(record(inbox, 0, "slow", 1, [9]));
    waiting.add(record(inbox, 1, "fast", 1, [1]));
    waiting.add(record(inbox, 2, "fast", 2, [2, 8]));
    waiting.advance(inbox, 3);
    const progress = waiting.release(5, unclaimed);
    expect(progress).toMatchObject({
      cursors: {},
      lastSequence: { fast: 1 },
      partiallyFolded: { fast: 1 },
      lastTime: { fast: 2 },
    });
    const after = waiting.release(9, progress);
    expect(after).toMatchObject({ cursors: { "inbox/0": 3 }, lastSequence: { slow: 1, fast: 2 }, partiallyFolded: {} });
    expect(waiting.release(9, after).cursors).toBe(after.cursors);
    expect(waiting.has(0)).toBe(false);
  });

  test("count once for each of their keys, and are never split", () => {
    const toAll = (offset: number, sizes: readonly number[]) => {
      const made = record(
        inbox,
        offset,
        "a",
        offset,
        sizes.map((_size, index) => 10 * offset + index),
      );
      const keysAt = (index: number) => Array.from({ length: sizes[index] ?? 0 }, (_none, key) => String(key));
      return { ...made, events: made.events.map((event, index) => ({ ...event, keys: keysAt(index) })) };
    };
    const waiting = open();
    waiting.add(toAll(0, [3, 2]));
    waiting.add(toAll(1, [4]));
    expect(waiting.ready(99, 1)).toMatchObject({ until: 0, items: { length: 1 } });
    expect(waiting.ready(99, 4)).toMatchObject({ until: 1, items: { length: 2 } });
    const progress = waiting.release(0, unclaimed);
    expect(progress).toMatchObject({ partiallyFolded: { a: 3 } });
    const again = open(progress);
    again.add(toAll(0, [3, 2]));
    again.add(toAll(1, [4]));
    expect(keysOf(again.ready(99, 3))).toEqual(["a 0.1", "a 1.0"]);
    expect(again.ready(99, 2)).toMatchObject({ until: 1 });
    expect(again.release(99, progress)).toMatchObject({ lastSequence: { a: 1 }, partiallyFolded: {} });
  });

  test("go on after the progress that was saved, whenever they are read again", () => {
    const times = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }), { maxLength: 8 });
    fc.assert(
      fc.property(times, times, fc.nat(9), fc.nat(9), (one, two, first, second) => {
        const fill = (progress: LaneProgress) => {
          const waiting = open(progress);
          let offset = 0;
          for (const [queue, records] of Object.entries({ one, two }))
            for (const [index, loggedAt] of records.entries()) {
              const number = index + 1;
              if (number > (progress.lastSequence[queue] ?? 0))
                waiting.add(record(inbox, offset, queue, number, loggedAt));
              offset++;
            }
          waiting.advance(inbox, offset);
          return waiting;
        };
        const whole = fill(unclaimed);
        const begun = fill(unclaimed);
        const until = Math.max(first, second);
        const earlier = keysOf(begun.ready(Math.min(first, second), 100));
        const again = fill(begun.release(Math.min(first, second), unclaimed));
        expect([...earlier, ...keysOf(again.ready(until, 100))]).toEqual(keysOf(whole.ready(until, 100)));
      }),
    );
  });

  test("have one bound together, and a partition that has its share then is full", () => {
    const waiting = open();
    const MIB = 1024 * 1024;
    waiting.add(record(presence, 0, "p", 0, [1], 33 * MIB));
    expect([waiting.isFull(presence), waiting.isFull(inbox)]).toEqual([false, false]);
    waiting.add(record(presence, 1, "p", 1, [2], 31 * MIB));
    expect([waiting.isFull(presence), waiting.isFull(inbox)]).toEqual([true, false]);
    waiting.add(record(inbox, 0, "a", 1, [2], 32 * MIB));
    expect([waiting.isFull(presence), waiting.isFull(inbox)]).toEqual([true, true]);
    waiting.release(1, unclaimed);
    expect([waiting.isFull(presence), waiting.isFull(inbox)]).toEqual([false, false]);
  });
});
