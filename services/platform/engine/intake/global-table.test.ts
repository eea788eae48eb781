import { expect, test } from "vitest";
import { Poison } from "../../contract/failure.ts";
import type { GlobalTable } from "../../contract/processor.ts";
import { memoryLog } from "../../memory/log.ts";
import { listen } from "../../runtime/facts.ts";
import { jsonCodec, product } from "../parcels.fixture.ts";
import { openWatermark } from "../time/watermark.ts";
import { openGlobalTable } from "./global-table.ts";

const NOW = 1_000_000;
const prices = (partition: number) => ({ topic: "prices", partition });

/** The prices in the order in which they were applied; a price of 13 is poison. */
const list: GlobalTable<readonly number[]> = {
  topics: ["prices"],
  initial: [],
  apply(value, { value: record }) {
    const { price } = record as { readonly price: number };
    if (price === 13) throw new Poison("an unlucky number");
    return [...value, price];
  },
};

const open = async () => {
  const clock = { now: () => NOW };
  const log = memoryLog(clock, 2);
  const table = await openGlobalTable("packer", list, { log, codec: jsonCodec, clock, product });
  const publish = (partition: number, timestamp: number, value: object | string): Promise<void> => {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : jsonCodec.encode("prices", value);
    return log.publish([{ topic: "prices", partition, key: "se", value: bytes, timestamp }]);
  };
  return {
    table,
    publish,
    put: (partition: number, timestamp: number, price: number) => publish(partition, timestamp, { price }),
  };
};

test("records of all partitions are applied in the order of their timestamps", async () => {
  const { table, put } = await open();
  await put(0, 10, 1);
  await put(0, 30, 3);
  await put(1, 20, 2);
  expect(await table.step()).toBe(true);
  expect(table.value()).toEqual([1, 2, 3]);
  expect(await table.step()).toBe(false);
});

test("records of one timestamp are applied in the order of their own times", async () => {
  const { table, publish } = await open();
  await publish(0, 10, { price: 2, occurredAt: 6 });
  await publish(0, 10, { price: 1, occurredAt: 5 });
  await table.step();
  expect(table.value()).toEqual([1, 2]);
});

test("a record that comes late takes its place before those that were applied already", async () => {
  const { table, put } = await open();
  await put(0, 10, 1);
  await put(0, 30, 3);
  await table.step();
  await put(1, 20, 2);
  await table.step();
  await put(1, 40, 4);
  await table.step();
  expect(table.value()).toEqual([1, 2, 3, 4]);
});

test("a record that cannot be decoded or applied is announced, and the others are applied", async () => {
  const { table, put, publish } = await open();
  const reasons: string[] = [];
  using _ = listen("deadLetter", ({ topic, partition, offset, reason }) =>
    reasons.push(`${topic}/${partition} ${offset}: ${reason}`),
  );
  await put(0, 10, 1);
  await put(0, 20, 13);
  await publish(0, 30, "no JSON");
  await put(0, 40, 4);
  await table.step();
  expect(table.value()).toEqual([1, 4]);
  expect(reasons.toSorted()).toEqual(["prices/0 1: an unlucky number", expect.stringContaining("prices/0 2: ")]);
});

test("the table is whole when every record is read that its topics had when this was first asked", async () => {
  const { table, put } = await open();
  await put(0, 10, 1);
  expect(await table.isWhole()).toBe(false);
  await table.step();
  await put(1, 20, 2); // later than the question
  expect(await table.isWhole()).toBe(true);
});

test("the table of empty topics is whole at once", async () => {
  const { table } = await open();
  expect(await table.isWhole()).toBe(true);
});

test("the changes are the cursors that moved, and the time of the first record behind the given ones", async () => {
  const { table, put } = await open();
  expect(table.changesSince({})).toBeNull();
  await put(0, 10, 1);
  await put(0, 30, 3);
  await put(1, 20, 2);
  await table.step();
  expect(table.changesSince({})).toEqual({ cursors: { "prices/0": 2, "prices/1": 1 }, since: 10 });
  expect(table.changesSince({ "prices/0": 1 })).toEqual({ cursors: { "prices/0": 2, "prices/1": 1 }, since: 20 });
  expect(table.changesSince({ "prices/0": 1, "prices/1": 1 })).toEqual({ cursors: { "prices/0": 2 }, since: 30 });
  expect(table.changesSince({ "prices/0": 2, "prices/1": 1 })).toBeNull();
});

test("a poisonous record moves the cursors, and no time", async () => {
  const { table, publish } = await open();
  await publish(0, 10, "no JSON");
  await table.step();
  expect(table.changesSince({})).toEqual({ cursors: { "prices/0": 1 }, since: Infinity });
});

test("the watermark learns how far the topics are read, and not from a timestamp in the future", async () => {
  const { table, put } = await open();
  const watermark = openWatermark([], [], 1, [], [prices(0), prices(1)]);
  await put(0, 10, 1);
  await put(1, 20, 2);
  await put(0, NOW + 60_000, 3); // its producer's clock is wrong
  await table.step();
  table.advance(watermark);
  expect([watermark.position(prices(0)), watermark.position(prices(1))]).toEqual([2, 1]);
  expect(watermark.time()).toBe(9);
});
