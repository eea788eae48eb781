import { expect, test } from "vitest";
import { differences } from "./differ.ts";

test.each<readonly [string, unknown, unknown, readonly string[]]>([
  ["nothing where both are the same", { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
  ["nothing where names come in another order", { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  ["the path to a value", { open: { c1: { until: 5 } } }, { open: { c1: { until: 7 } } }, ["open.c1.until: 5 | 7"]],
  ["a field of one side alone", { a: [1] }, { a: [1, 2] }, ["a.1: - | 2"]],
  ["a name that every object inherits", {}, { constructor: 1 }, ["constructor: - | 1"]],
  ["another kind of value", { a: [] }, { a: {} }, ["a: [] | {}"]],
  ["long values by their beginning", "x".repeat(99), "y", [`the row: "${"x".repeat(59)}… | "y"`]],
  [
    "the first few places only",
    { a: 1, b: 1, c: 1, d: 1, e: 1 },
    { a: 2, b: 2, c: 2, d: 2, e: 2 },
    ["a: 1 | 2", "b: 1 | 2", "c: 1 | 2", "and 2 more"],
  ],
])("the difference is %s", (_, live, rebuilt, expected) => {
  expect(differences(live, rebuilt)).toEqual(expected);
});
