import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicPartition } from "../../contract/topic-partition.ts";
import type { RawRecord, FetchedRecords } from "../../contract/ports.ts";
import { arrivals } from "./fetch-buffer.ts";

const never = new AbortController().signal;
const zero: TopicPartition = { topic: "presence", partition: 0 };
const one: TopicPartition = { topic: "inbox", partition: 1 };

const record = (place: TopicPartition, offset: number, timestamp = offset, size = 0): RawRecord => ({
  ...place,
  offset,
  timestamp,
  key: null,
  value: new Uint8Array(size),
  headers: {},
});
const records = (place: TopicPartition, from: number, count: number): readonly RawRecord[] =>
  Array.from({ length: count }, (_none, index) => record(place, from + index));
const open = (...places: readonly TopicPartition[]) => {
  const made = arrivals();
  made.assign(places);
  made.assigned();
  for (const place of places) made.seek(place);
  return made;
};
const recordsOf = (slices: readonly FetchedRecords[]): readonly RawRecord[] => slices.flatMap((slice) => slice.records);
const offsets = (slices: readonly FetchedRecords[]): readonly number[] => recordsOf(slices).map(({ offset }) => offset);

describe("what has arrived", () => {
  test("is taken in order, and the place to go on from is behind it", () => {
    const buffer = open(zero);
    buffer.add(zero, records(zero, 0, 3), 3);
    buffer.add(zero, records(zero, 3, 2), 9);
    expect(buffer.take(2)).toMatchObject([{ from: zero, next: 2 }]);
    const [rest] = buffer.take(10);
    expect(rest).toMatchObject({ next: 9, records: records(zero, 2, 3) });
    expect(buffer.take(10)).toEqual([]);
  });

  test("moves the position also where nothing is delivered", () => {
    const buffer = open(zero);
    buffer.add(zero, [], 7);
    expect(buffer.take(10)).toEqual([{ from: zero, records: [], next: 7 }]);
  });

  test("is dropped where nobody has sought, and by a new assignment or another seek", () => {
    const buffer = arrivals();
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

  test("is taken by the least timestamps across places, whatever the limit", () => {
    const stamps = fc.uniqueArray(fc.tuple(fc.nat(1_000), fc.boolean()), {
      selector: ([stamp]) => stamp,
      maxLength: 40,
    });
    fc.assert(
      fc.property(stamps, fc.integer({ min: 1, max: 8 }), (drawn, limit) => {
        const buffer = open(zero, one);
        const [some, others] = [zero, one].map((place) =>
          drawn.filter(([, isOne]) => isOne === (place === one)).map(([stamp], offset) => record(place, offset, stamp)),
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

describe("a place that has too much waiting", () => {
  const told: string[] = [];
  const tapped = (...places: readonly TopicPartition[]) => {
    told.length = 0;
    const made = arrivals({
      full: ({ topic }) => void told.push(`${topic} full`),
      room: ({ topic }) => void told.push(`${topic} room`),
    });
    made.assign(places);
    for (const place of places) made.seek(place);
    return made;
  };

  test("is told of at 5,000 records or 4 MB, and again when half of that is taken", () => {
    const buffer = tapped(zero, one);
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

  test("is told of when it is dropped", () => {
    const buffer = tapped(zero, one);
    for (const place of [zero, one]) buffer.add(place, records(place, 0, 5_000), 5_000);
    buffer.seek(zero);
    buffer.assign([]);
    expect(told).toEqual(["presence full", "inbox full", "presence room", "inbox room"]);
  });

  test("is not taken from, nor an arrival, while it isn't wanted", async () => {
    const buffer = open(zero, one);
    const isOne = (place: TopicPartition): boolean => place === one;
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

  test("that has been is not waited for", async () => {
    const buffer = open(zero);
    buffer.add(zero, records(zero, 0, 1), 1);
    expect(await buffer.arrival(never)).toBeUndefined();
  });
});
