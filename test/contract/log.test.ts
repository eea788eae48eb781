import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { type TopicPartition, partitionsOf } from "../../services/platform/contract/topic-partition.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { Log, RawRecord } from "../../services/platform/contract/ports.ts";
import type { TopicId } from "../../services/domain/topics.ts";
import { readerOf } from "../../services/platform/runtime/log-reader.ts";
import { endOf, logs, read, saying, takeRecords, assigned, text, bytes } from "./log.suite.ts";
import { PARTITIONS } from "../support/world.ts";

/** The contract of a log for its records (services/platform/contract/ports.ts). Both logs pass. */
describe.each(logs)("a log %s", (_name, open) => {
  let log: Log;
  let group: string;
  beforeAll(async () => {
    log = await open();
    group = randomUUID();
  });

  test("keeps the order within a partition, with consecutive offsets", async () => {
    const place: TopicPartition = { topic: "messages", partition: 1 };
    const start = await endOf(log, place);
    const values = Array.from({ length: 2_500 }, (_none, index) => `v${index}`);
    for (const some of [values.slice(0, 1), values.slice(1, 2_000), values.slice(2_000)])
      await log.publish(some.map((value) => saying("messages", 1, value)));
    const found = await read(log, `${group}-order`, place, start);
    expect(found.map(({ value }) => text(value))).toEqual(values);
    expect(found.map(({ offset }) => offset - start)).toEqual(values.map((_value, index) => index));
    expect(found.every(({ topic, partition }) => topic === "messages" && partition === 1)).toBe(true);
  });

  test("puts a key on its lane, or a record on the partition that it names", async () => {
    const lanes = await log.partitions("participants");
    const keys = ["ada", "bob", "", "ключ", "👾", "conversation-1", "conversation-2"];
    await log.publish(keys.map((key) => ({ topic: "participants", key, value: bytes("by key") })));
    await log.publish(keys.map((key) => saying("participants", 1, "as told", { key })));
    await using member = await log.subscribe(`${group}-lanes`, ["participants"], PARTITIONS);
    for (const place of await assigned(member, lanes)) member.seek(place, null);
    const found = await takeRecords(member, keys.length * 2);
    const placed = (value: string): readonly (readonly [string | null, number])[] =>
      found
        .filter((one) => text(one.value) === value)
        .map(({ key, partition }) => [text(key) ?? "", partition] as const);
    expect(new Map(placed("by key") as never)).toEqual(new Map(keys.map((key) => [key, laneOf(key, lanes)])));
    expect(placed("as told").map(([, partition]) => partition)).toEqual(keys.map(() => 1));
    expect(new Set(placed("by key").map(([, partition]) => partition)).size).toBe(lanes);
  });

  test("keeps headers, tombstones, records without a key and timestamps", async () => {
    const place: TopicPartition = { topic: "inbox", partition: 0 };
    const start = await endOf(log, place);
    const before = Date.now();
    await log.publish([
      saying("inbox", 0, "with headers", { headers: { a: "1", ünïcode: "ключ", empty: "", constructor: "c" } }),
      saying("inbox", 0, "", { value: null }),
      saying("inbox", 0, "no key", { key: null }),
      saying("inbox", 0, "", { key: "" }),
      saying("inbox", 0, "long ago", { timestamp: 86_400_000 }),
      saying("inbox", 0, "", { value: Uint8Array.from({ length: 256 }, (_none, index) => index) }),
    ]);
    const [headed, tombstone, keyless, empty, old, binary] = await read(log, `${group}-parts`, place, start);
    const headers = Object.entries(headed?.headers ?? {}).map(([name, value]) => [name, text(value)]);
    expect(Object.fromEntries(headers)).toEqual({ a: "1", ünïcode: "ключ", empty: "", constructor: "c" });
    expect(tombstone?.value).toBeNull();
    expect(text(tombstone?.key)).toBe("key");
    expect(tombstone?.headers).toEqual({});
    expect(keyless?.key).toBeNull();
    expect(empty?.key).toHaveLength(0);
    expect(empty?.value).toHaveLength(0);
    expect(old?.timestamp).toBe(86_400_000);
    expect([...(binary?.value ?? [])]).toEqual(Array.from({ length: 256 }, (_none, index) => index));
    for (const { timestamp = 0 } of [headed ?? {}, binary ?? {}]) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
    }
  });

  test("returns the offsets of each partition, an empty one too", async () => {
    const places = await partitionsOf(log, ["conversationStrays"]);
    for (const { low, high } of await log.offsets(places)) expect([low, high]).toEqual([0, 0]);
    await log.publish(["a", "b", "c"].map((value) => saying("conversationStrays", 1, value)));
    expect(await log.offsets(places)).toEqual([
      { low: 0, high: 0 },
      { low: 0, high: 3 },
    ]);
    const mixed = [
      places[1],
      { topic: "deadLetters", partition: 0 },
      places[0],
      places[1],
    ] as readonly TopicPartition[];
    expect((await log.offsets(mixed)).map(({ high }) => high)).toEqual([
      3,
      await endOf(log, mixed[1] as TopicPartition),
      0,
      3,
    ]);
    expect(await log.offsets([])).toEqual([]);
  });

  test("is scanned from the first record to its end, each partition in order, and can be scanned again", async () => {
    const scan = async (...topics: readonly TopicId[]): Promise<readonly RawRecord[]> => {
      const found: RawRecord[] = [];
      for await (const some of log.scan(topics)) found.push(...some);
      return found;
    };
    const empty = await scan("ledger");
    const values = Array.from({ length: 1_500 }, (_none, index) => `v${index}`);
    const all = values.flatMap((value) => [saying("ledger", 0, value), saying("ledger", 1, value)]);
    await log.publish([...all, saying("preferences", 1, "another")]);
    const found = await scan("ledger", "preferences");
    const valuesOn = (topic: TopicId, partition: number) =>
      found.filter((one) => one.topic === topic && one.partition === partition).map(({ value }) => text(value));
    expect(empty).toEqual([]);
    expect([valuesOn("ledger", 0), valuesOn("ledger", 1)]).toEqual([values, values]);
    expect([valuesOn("preferences", 0), valuesOn("preferences", 1)]).toEqual([[], ["another"]]);
    expect(await scan("ledger", "preferences")).toHaveLength(found.length);
    for await (const some of log.scan(["ledger"])) {
      expect(some.length).toBeGreaterThan(0);
      break; // a reader may stop early
    }
  });

  test("is read on from an offset, and a record that came meanwhile is read once", async () => {
    await using reader = readerOf(log, ["preferences"]);
    const readOn = async (): Promise<readonly (string | null)[]> => {
      const found: (string | null)[] = [];
      for await (const some of reader.toEnd()) found.push(...some.map(({ value }) => text(value)));
      return found.toSorted((a, b) => ((a ?? "") < (b ?? "") ? -1 : 1));
    };
    await log.publish([saying("preferences", 0, "first"), saying("preferences", 1, "one more")]);
    expect(await readOn()).toEqual(expect.arrayContaining(["first", "one more"]));
    expect(await readOn()).toEqual([]);
    await log.publish([saying("preferences", 0, "second")]);
    expect(await readOn()).toEqual(["second"]);
    await log.publish([saying("preferences", 0, "third"), saying("preferences", 1, "fourth")]);
    expect(await readOn()).toEqual(["fourth", "third"]);
  });

  test("takes many records of a megabyte in one call", async () => {
    const place: TopicPartition = { topic: "deadLetters", partition: 0 };
    const start = await endOf(log, place);
    // Records that compress well would not count for the broker: each byte differs from its neighbours.
    const big = Buffer.from(Array.from({ length: 1_048_588 }, (_none, index) => (index * 31 + (index >> 8)) & 0xff));
    await log.publish(
      Array.from({ length: 6 }, (_none, index) => saying("deadLetters", 0, "", { value: big, key: `${index}` })),
    );
    const found = await read(log, `${group}-large`, place, start);
    expect(found.map(({ key }) => text(key))).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(found.every(({ value }) => value !== null && big.equals(value))).toBe(true);
  });

  test("accepts an empty call", async () => {
    await expect(log.publish([])).resolves.toBeUndefined();
  });
});
