import { expect, test } from "vitest";
import { nextRoom } from "./tenure.ts";

test("the more there is, the more is folded in one transaction, within bounds", () => {
  expect(nextRoom(5_000, 5_100, 5_100)).toBe(20_000);
  expect(nextRoom(150_000, 151_000, 151_000)).toBe(500_000);
  expect(nextRoom(20_000, 300, 300)).toBe(20_000);
});

test("where it had to end early, less is looked at the next time", () => {
  expect(nextRoom(200_000, 200_500, 40_000)).toBe(80_000);
  expect(nextRoom(200_000, 200_500, 0)).toBe(5_000);
});
