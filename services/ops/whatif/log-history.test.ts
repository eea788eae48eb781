import { expect, test } from "vitest";
import type { TopicId } from "../../platform/contract/topic.ts";
import type { RawRecord } from "../../platform/contract/ports.ts";
import { readLog, type Source } from "./log-history.ts";

const raw = (topic: TopicId, partition: number, offset: number, timestamp: number): RawRecord => {
  const bytes = new TextEncoder().encode(`${topic} ${partition} at ${timestamp}`);
  return { topic, partition, offset, timestamp, key: bytes, value: null, headers: {} };
};

/** A log of two partitions a topic, read partition after partition, `chunk` records at a time. */
const logOf = (held: readonly RawRecord[], chunk: number): Source => {
  const recordsOf = (topic: TopicId, partition: number) =>
    held.filter((one) => one.topic === topic && one.partition === partition);
  return {
    partitions: () => Promise.resolve(2),
    offsets: (places) =>
      Promise.resolve(places.map(({ topic, partition }) => ({ low: 0, high: recordsOf(topic, partition).length }))),
    async *scan([topic]) {
      if (topic === undefined) return;
      const all = [...recordsOf(topic, 0), ...recordsOf(topic, 1)];
      for (let from = 0; from < all.length; from += chunk) yield all.slice(from, from + chunk);
    },
  };
};

const codec = { prepare: () => Promise.resolve(), decode: () => null, encode: () => new Uint8Array() };

const times = async (held: readonly RawRecord[], chunk: number): Promise<readonly string[]> => {
  const read: string[] = [];
  for await (const records of readLog(logOf(held, chunk), codec, ["users", "messages", "presence"]))
    read.push(...records.map(({ key }) => key));
  return read;
};

test.each([1, 2, 100])("partitions are read together in the order of time, %i records at once", async (chunk) => {
  const held = [
    raw("users", 0, 0, 10),
    raw("users", 0, 1, 40),
    raw("users", 1, 0, 20),
    raw("messages", 1, 0, 15),
    raw("messages", 1, 1, 25),
    raw("messages", 0, 0, 50),
  ];
  expect(await times(held, chunk)).toEqual([
    "users 0 at 10",
    "messages 1 at 15",
    "users 1 at 20",
    "messages 1 at 25",
    "users 0 at 40",
    "messages 0 at 50",
  ]);
});

test("a record with an earlier timestamp than its predecessor on the partition stays behind it", async () => {
  const held = [raw("users", 0, 0, 30), raw("users", 0, 1, 10), raw("messages", 0, 0, 20), raw("messages", 0, 1, 40)];
  expect(await times(held, 1)).toEqual(["messages 0 at 20", "users 0 at 30", "users 0 at 10", "messages 0 at 40"]);
});

test("an empty log has no records", async () => {
  expect(await times([], 1)).toEqual([]);
});
