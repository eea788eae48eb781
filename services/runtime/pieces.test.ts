import { expect, test } from "vitest";
import { inPieces } from "./pieces.ts";

test("what is too much for one piece comes in several, in order; what is too much alone comes alone", () => {
  const size = (one: string): number => one.length;
  expect([...inPieces(["aa", "bb", "c", "dddddd", "e"], size, 5)]).toEqual([["aa", "bb", "c"], ["dddddd"], ["e"]]);
  expect([...inPieces(["aaa", "bbb"], size, 5)]).toEqual([["aaa"], ["bbb"]]);
  expect([...inPieces([], size, 5)]).toEqual([]);
});
