import { expect, test } from "vitest";
import { nextRoom } from "./tenure.ts";

test("the more there is, the more is folded in one transaction, within bounds", () => {
  expect(nextRoom(5_000, { given: 5_100, folded: 5_100, fetched: 0 })).toBe(20_000);
  expect(nextRoom(150_000, { given: 151_000, folded: 151_000, fetched: 50_000 })).toBe(500_000);
  expect(nextRoom(20_000, { given: 300, folded: 300, fetched: 300 })).toBe(20_000);
});

test("where it had to end early, less is looked at the next time", () => {
  expect(nextRoom(200_000, { given: 200_500, folded: 40_000, fetched: 0 })).toBe(80_000);
  expect(nextRoom(200_000, { given: 200_500, folded: 0, fetched: 0 })).toBe(5_000);
});

test("where most rows had to be fetched, less is folded the next time", () => {
  expect(nextRoom(80_000, { given: 80_100, folded: 80_100, fetched: 70_000 })).toBe(20_000);
  expect(nextRoom(5_000, { given: 60_000, folded: 60_000, fetched: 60_000 })).toBe(5_000);
});
