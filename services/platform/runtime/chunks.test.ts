import { expect, test } from "vitest";
import { inChunks, inChunksYielding } from "./chunks.ts";

test("what is too much for one piece comes in several, in order; what is too much alone comes alone", () => {
  const size = (one: string): number => one.length;
  expect([...inChunks(["aa", "bb", "c", "dddddd", "e"], size, 5)]).toEqual([["aa", "bb", "c"], ["dddddd"], ["e"]]);
  expect([...inChunks(["aaa", "bbb"], size, 5)]).toEqual([["aaa"], ["bbb"]]);
  expect([...inChunks([], size, 5)]).toEqual([]);
});

test("others have their turn between two pieces, and not before the first", async () => {
  const order: string[] = [];
  setImmediate(() => order.push("another"));
  for await (const piece of inChunksYielding([1, 2, 3], () => 1, 2)) order.push(piece.join());
  expect(order).toEqual(["1,2", "another", "3"]);
});
