import { expect, test } from "vitest";
import { inChunks, inChunksYielding } from "./chunks.ts";

test("items are split into chunks in their order, and an item beyond the size is a chunk alone", () => {
  const size = (item: string): number => item.length;
  expect([...inChunks(["aa", "bb", "c", "dddddd", "e"], size, 5)]).toEqual([["aa", "bb", "c"], ["dddddd"], ["e"]]);
  expect([...inChunks(["aaa", "bbb"], size, 5)]).toEqual([["aaa"], ["bbb"]]);
  expect([...inChunks([], size, 5)]).toEqual([]);
});

test("other work has its turn between two chunks, and not before the first", async () => {
  const order: string[] = [];
  setImmediate(() => order.push("another"));
  for await (const chunk of inChunksYielding([1, 2, 3], () => 1, 2)) order.push(chunk.join());
  expect(order).toEqual(["1,2", "another", "3"]);
});
