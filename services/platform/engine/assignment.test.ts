import { expect, test } from "vitest";
import { nextBatchSize, remember } from "./assignment.ts";

test("the batch grows while there are more events than it takes, within bounds", () => {
  expect(nextBatchSize(5_000, { given: 5_100, folded: 5_100, fetched: 0 })).toBe(20_000);
  expect(nextBatchSize(150_000, { given: 151_000, folded: 151_000, fetched: 50_000 })).toBe(500_000);
  expect(nextBatchSize(20_000, { given: 300, folded: 300, fetched: 300 })).toBe(20_000);
});

test("the next batch is smaller after one that had to end early", () => {
  expect(nextBatchSize(200_000, { given: 200_500, folded: 40_000, fetched: 0 })).toBe(80_000);
  expect(nextBatchSize(200_000, { given: 200_500, folded: 0, fetched: 0 })).toBe(5_000);
});

test("the next batch is smaller after one that fetched most of its rows", () => {
  expect(nextBatchSize(80_000, { given: 80_100, folded: 80_100, fetched: 70_000 })).toBe(20_000);
  expect(nextBatchSize(5_000, { given: 60_000, folded: 60_000, fetched: 60_000 })).toBe(5_000);
});

test("heap pressure makes the batch smaller and the cache keep only the latest rows; both grow again after it", () => {
  expect(nextBatchSize(150_000, { given: 151_000, folded: 151_000, fetched: 0 }, 0.1)).toBe(50_000);
  const rows = (from: number, to: number) =>
    new Map(Array.from({ length: to - from }, (_none, index) => [`${from + index}`, index]));
  const kept = { cache: new Map<string, number | null>(), memoryShare: 1 / 32, pressureSeen: -1 };
  remember(kept, rows(0, 4_000));
  expect(kept).toMatchObject({ memoryShare: 1 / 64, pressureSeen: 0 });
  expect([...kept.cache.keys()]).toEqual([...rows(875, 4_000).keys()]);
  remember(kept, rows(4_000, 5_000));
  expect(kept.memoryShare).toBeGreaterThan(1 / 64);
  expect(kept.cache.size).toBeGreaterThan(3_125);
});
