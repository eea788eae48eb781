import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { progressBar, rateOver } from "./progress.ts";

test("the rate is that of the latest stretch", () => {
  const rate = rateOver(1_000);
  expect(rate(0, 0)).toBe(0);
  expect(rate(100, 500)).toBe(200);
  expect(rate(200, 1_000)).toBe(200);
  expect(rate(200, 1_500)).toBe(100);
  expect(rate(200, 2_500)).toBe(0);
});

test("where there is no terminal, it is told in lines", () => {
  const stream = new PassThrough();
  using bar = progressBar(stream as unknown as NodeJS.WriteStream);
  bar.show({ done: 25, total: 100 });
  bar[Symbol.dispose]();
  const lines = String(stream.read())
    .split("\n")
    .filter((line) => line !== "");
  expect(lines[0]).toMatch(/^folding \[=+-+\] 25 %, 25 of 100 records, 0\/s, .* left$/);
});
