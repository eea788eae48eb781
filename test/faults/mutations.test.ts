import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mutations } from "./mutations.ts";

/** Number of times that a text occurs in a file of the repository; 0 where there is no such file. */
const occurrences = (file: string, text: string): number => {
  const path = new URL(`../../${file}`, import.meta.url);
  return existsSync(path) ? readFileSync(path, "utf8").split(text).length - 1 : 0;
};

describe("every mutation fits the repository as it is", () => {
  test.each(mutations)("$what", ({ file, from, to, test: guard, only }) => {
    expect(occurrences(file, from), `"${from}" must occur once in ${file}`).toBe(1);
    expect(to).not.toBe(from);
    expect(occurrences(guard, only), `"${only}" must occur in ${guard}`).toBeGreaterThan(0);
  });

  test("no two mutations have the same name", () => {
    const names = mutations.map(({ what }) => what);
    expect(names).toEqual([...new Set(names)]);
  });
});
