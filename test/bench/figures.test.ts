import { expect, test } from "vitest";
import { inWords, spreadOf } from "./figures.ts";

test("half of the values are at most the p50, and one in a hundred is beyond the p99", () => {
  const values = Array.from({ length: 1_000 }, (_none, index) => 1_000 - index);
  expect(spreadOf(values)).toEqual({ count: 1_000, p50: 501, p99: 991, most: 1_000 });
  expect(spreadOf([])).toEqual({ count: 0, p50: 0, p99: 0, most: 0 });
  expect(inWords(spreadOf([1.2, 3.6]))).toBe("p50 4, p99 4, at most 4 ms");
});
