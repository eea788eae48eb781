import { describe, expect, test } from "vitest";
import { openWatermark } from "./watermark.ts";

const orders = (partition: number) => ({ topic: "orders", partition });
const parcels = (partition: number) => ({ topic: "parcels", partition });
const prices = { topic: "prices", partition: 0 };

/** The watermark of one lane, which reads orders and, of a stage upstream, parcels; nothing is read. */
const open = () => openWatermark([orders(0), parcels(0)], [0, 0], 1, ["parcels"], []);
/** The watermark of two lanes, which read orders and prices. */
const openTwo = () => openWatermark([orders(0), orders(1)], [null, null], 2, [], [prices]);

describe("a partition that no stage upstream writes", () => {
  test("has the time just before its latest record, since more records of that moment may follow", () => {
    const watermark = openWatermark([orders(0)], [0], 1, [], []);
    watermark.advance(orders(0), 1, 100);
    expect(watermark.time()).toBe(99);
  });

  test("has the time of its end as soon as it is read to the end", () => {
    const watermark = openWatermark([orders(0)], [0], 1, [], []);
    watermark.setEnd(orders(0), { low: 0, high: 2 }, 500);
    watermark.advance(orders(0), 1, 100);
    expect(watermark.time()).toBe(99);
    watermark.advance(orders(0), 2, 200);
    expect(watermark.time()).toBe(500);
  });

  test("has the time of its end at once where it is empty, or its records are deleted", () => {
    const watermark = openTwo();
    watermark.setEnd(orders(0), { low: 0, high: 0 }, 500);
    watermark.setEnd(orders(1), { low: 7, high: 7 }, 500);
    watermark.setEnd(prices, { low: 0, high: 0 }, 500);
    expect(watermark.time()).toBe(500);
    expect(watermark.position(orders(1))).toBe(7);
  });

  test("never goes back: not by an older record, an older end or a smaller offset", () => {
    const watermark = openWatermark([orders(0)], [0], 1, [], []);
    watermark.advance(orders(0), 5, 100);
    watermark.advance(orders(0), 3, 50);
    watermark.setEnd(orders(0), { low: 0, high: 5 }, 60);
    expect([watermark.time(), watermark.position(orders(0))]).toEqual([99, 5]);
  });
});

test("a partition that a stage upstream writes has the time of its end alone, since its records are out of order", () => {
  const watermark = open();
  watermark.advance(orders(0), 1, 1_000);
  watermark.setEnd(parcels(0), { low: 0, high: 2 }, 500);
  watermark.advance(parcels(0), 1, 900);
  expect(watermark.time()).toBe(-1);
  watermark.advance(parcels(0), 2, 900);
  expect(watermark.time()).toBe(500);
});

test("the watermark is the least time of all partitions, the global table's too", () => {
  const watermark = openTwo();
  watermark.advance(orders(0), 1, 300);
  watermark.advance(orders(1), 1, 200);
  expect(watermark.time()).toBe(-1);
  watermark.advance(prices, 1, 100);
  expect(watermark.time()).toBe(99);
  watermark.advance(prices, 2, 250);
  expect(watermark.time()).toBe(199);
});

test("a lane has read as far as its own partitions that no stage upstream writes", () => {
  const watermark = openWatermark([orders(0), orders(1), parcels(0)], [0, 0, 0], 2, ["parcels"], [prices]);
  watermark.advance(orders(0), 1, 300);
  watermark.advance(orders(1), 1, 200);
  expect([watermark.readTime(0), watermark.readTime(1)]).toEqual([299, 199]);
});

test("the watermark waits for the partition that is furthest behind and not read to its end", () => {
  const watermark = openTwo();
  watermark.setEnd(orders(0), { low: 0, high: 2 }, 500);
  watermark.setEnd(orders(1), { low: 0, high: 2 }, 500);
  watermark.setEnd(prices, { low: 0, high: 0 }, 500);
  watermark.advance(orders(0), 1, 300);
  watermark.advance(orders(1), 1, 200);
  expect([watermark.waitsFor(orders(0)), watermark.waitsFor(orders(1))]).toEqual([false, true]);
  watermark.advance(orders(1), 2, 200);
  expect([watermark.waitsFor(orders(0)), watermark.waitsFor(orders(1))]).toEqual([true, false]);
});

test("the upstream topics are read when they are at their ends, however far the other topics are", () => {
  const watermark = open();
  expect(watermark.isRead()).toBe(false);
  watermark.setEnd(orders(0), { low: 0, high: 9 }, 500);
  watermark.setEnd(parcels(0), { low: 0, high: 1 }, 500);
  expect(watermark.isRead()).toBe(false);
  watermark.advance(parcels(0), 1, 100);
  expect(watermark.isRead()).toBe(true);
});

test("the lag counts the records between the positions and the ends that are known", () => {
  const watermark = openWatermark([orders(0), parcels(0)], [2, 0], 1, ["parcels"], []);
  expect(watermark.lag()).toBe(0);
  watermark.setEnd(orders(0), { low: 0, high: 5 }, 500);
  expect(watermark.lag()).toBe(3);
  watermark.advance(orders(0), 4, 100);
  expect(watermark.lag()).toBe(1);
});

test("a partition that is not assigned changes nothing", () => {
  const watermark = openWatermark([orders(0)], [0], 1, [], []);
  watermark.advance(orders(0), 1, 100);
  watermark.advance(orders(3), 1, 10);
  watermark.setEnd(orders(3), { low: 0, high: 9 }, 10);
  expect([watermark.time(), watermark.lag(), watermark.waitsFor(orders(3))]).toEqual([99, 0, false]);
});
