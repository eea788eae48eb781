import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicPartition } from "../../contract/topic-partition.ts";
import type { RawRecord, FetchedRecords } from "../../contract/ports.ts";
import { fetchBuffer } from "./fetch-buffer.ts";

const never = new AbortController().signal;
const zero: TopicPartition = { topic: "presence", partition: 0 };
const one: TopicPartition = { topic: "inbox", partition: 1 };

const record = (from: TopicPartition, offset: number, timestamp = offset, size = 0): RawRecord => ({
  ...from,
  offset,
  timestamp,
  key: null,
  value: new Uint8Array(size),
  headers: {},
});
const records = (from: TopicPartition, first: number, count: number): readonly RawRecord[] =>
  Array.from({ length: count }, (_none, index) => record(from, first + index));
const open = (...partitions: readonly TopicPartition[]) => {
  const buffer = fetchBuffer();
  buffer.assign(partitions);
  buffer.assigned();
  for (const partition of partitions) buffer.seek(partition);
  return buffer;
};
const recordsOf = (taken: readonly FetchedRecords[]): readonly RawRecord[] => taken.flatMap((some) => some.records);
const offsets = (taken: readonly FetchedRecords[]): readonly number[] => recordsOf(taken).map(({ offset }) => offset);

describe("the records that were fetched", () => {
  test("are taken in order, and the offset to go on from is behind them", () => {
    const buffer = open(zero);
    buffer.add(zero, records(zero, 0, 3), 3);
    buffer.add(zero, records(zero, 3, 2), 9);
    expect(buffer.take(2)).toMatchObject([{ from: zero, next: 2 }]);
    const [rest] = buffer.take(10);
    expect(rest).toMatchObject({ next: 9, records: records(zero, 2, 3) });
    expect(buffer.take(10)).toEqual([]);
  });

  test("move the position also where none is delivered", () => {
    const buffer = open(zero);
    buffer.add(zero, [], 7);
    expect(buffer.take(10)).toEqual([{ from: zero, records: [], next: 7 }]);
  });

  test("are dropped before the first seek, and by a new assignment or another seek", () => {
    const buffer = fetchBuffer();
    buffer.assign([zero, one]);
    buffer.add(zero, records(zero, 0, 1), 1);
    expect(buffer.take(10)).toEqual([]);
    buffer.seek(zero);
    buffer.seek(one);
    buffer.add(zero, records(zero, 0, 1), 1);
    buffer.add(one, records(one, 0, 1), 1);
    buffer.seek(zero);
    expect(offsets(buffer.take(10))).toEqual([0]);
    buffer.add(one, records(one, 1, 1), 2);
    buffer.assign([one]);
    buffer.add(one, records(one, 2, 1), 3);
    expect(buffer.take(10)).toEqual([]);
  });

  test("are taken by the least timestamps across partitions, whatever the limit", () => {
    const stamps = fc.uniqueArray(fc.tuple(fc.nat(1_000), fc.boolean()), {
      selector: ([stamp]) => stamp,
      maxLength: 40,
    });
    fc.assert(
      fc.property(stamps, fc.integer({ min: 1, max: 8 }), (drawn, limit) => {
        const buffer = open(zero, one);
        const [some, others] = [zero, one].map((partition) =>
          drawn
            .filter(([, isOne]) => isOne === (partition === one))
            .map(([stamp], offset) => record(partition, offset, stamp)),
        ) as [RawRecord[], RawRecord[]];
        buffer.add(zero, some, some.length);
        buffer.add(one, others, others.length);
        for (let taken = recordsOf(buffer.take(limit)); taken.length > 0; taken = recordsOf(buffer.take(limit))) {
          const expected = Array.from({ length: limit }, () => {
            const isOthers = (others[0]?.timestamp ?? Infinity) < (some[0]?.timestamp ?? Infinity);
            return (isOthers ? others : some).shift();
          });
          expect(new Set(taken)).toEqual(new Set(expected.filter((each) => each !== undefined)));
        }
        expect([some, others]).toEqual([[], []]);
      }),
    );
  });
});

describe("a partition with too many waiting records", () => {
  const told: string[] = [];
  const observed = (...partitions: readonly TopicPartition[]) => {
    told.length = 0;
    const buffer = fetchBuffer({
      full: ({ topic }) => void told.push(`${topic} full`),
      room: ({ topic }) => void told.push(`${topic} room`),
    });
    buffer.assign(partitions);
    for (const partition of partitions) buffer.seek(partition);
    return buffer;
  };

  test("is paused at 5,000 records or 4 MB, and resumed when half of that is taken", () => {
    const buffer = observed(zero, one);
    buffer.add(zero, records(zero, 0, 4_999), 4_999);
    expect(told).toEqual([]);
    buffer.add(zero, records(zero, 4_999, 2), 5_001);
    buffer.add(one, [record(one, 0, 10_000, 4 * 1024 * 1024)], 1);
    expect(told).toEqual(["presence full", "inbox full"]);
    buffer.take(2_000);
    expect(told).toHaveLength(2);
    buffer.take(1_000);
    buffer.take(10_000);
    expect(told.slice(2)).toEqual(["presence room", "inbox room"]);
  });

  test("is resumed when its records are dropped", () => {
    const buffer = observed(zero, one);
    for (const partition of [zero, one]) buffer.add(partition, records(partition, 0, 5_000), 5_000);
    buffer.seek(zero);
    buffer.assign([]);
    expect(told).toEqual(["presence full", "inbox full", "presence room", "inbox room"]);
  });

  test("gives no records, and is no arrival, while it is not wanted", async () => {
    const buffer = open(zero, one);
    const isOne = (partition: TopicPartition): boolean => partition === one;
    buffer.add(zero, records(zero, 0, 3), 3);
    expect(buffer.take(10, isOne)).toEqual([]);
    const waiting = buffer.arrival(never, isOne);
    buffer.add(one, records(one, 0, 1), 1);
    await waiting;
    expect(buffer.take(10, isOne)).toMatchObject([{ from: one }]);
    expect(offsets(buffer.take(10))).toEqual([0, 1, 2]);
  });
});

describe("an arrival", () => {
  test("is a record, a move of the position, a new assignment or the signal's end", async () => {
    const buffer = open(zero);
    const came: string[] = [];
    const waitFor = async (what: string, cause: () => void): Promise<void> => {
      const waiting = buffer.arrival(never).then(() => came.push(what));
      cause();
      await waiting;
      buffer.take(10);
      buffer.assigned();
      buffer.seek(zero);
    };
    await waitFor("record", () => buffer.add(zero, records(zero, 0, 1), 1));
    await waitFor("position", () => buffer.add(zero, [], 5));
    await waitFor("assignment", () => buffer.assign([zero]));
    const stop = new AbortController();
    const waiting = buffer.arrival(stop.signal).then(() => came.push("signal"));
    stop.abort();
    await waiting;
    expect(came).toEqual(["record", "position", "assignment", "signal"]);
  });

  test("that has happened already is not waited for", async () => {
    const buffer = open(zero);
    buffer.add(zero, records(zero, 0, 1), 1);
    expect(await buffer.arrival(never)).toBeUndefined();
  });
});
