import { expect, test } from "vitest";
import { startOf } from "./text.ts";

test("a text within the limit stays as it is", () => {
  expect(startOf("four", 4)).toBe("four");
  expect(startOf("", 0)).toBe("");
});

test("a text beyond the limit is cut at the limit, or before a character that straddles it", () => {
  expect(startOf("fives", 4)).toBe("five");
  expect(startOf("abc👾", 4)).toBe("abc");
  expect(startOf("ab👾c", 4)).toBe("ab👾");
});
