import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { progressBar, rateOver } from "./progress.ts";

test("the rate is taken over the latest window", () => {
  const rate = rateOver(1_000);
  expect(rate(0, 0)).toBe(0);
  expect(rate(100, 500)).toBe(200);
  expect(rate(200, 1_000)).toBe(200);
  expect(rate(200, 1_500)).toBe(100);
  expect(rate(200, 2_500)).toBe(0);
});

const shownOn = (stream: PassThrough): string => {
  using bar = progressBar(stream as unknown as NodeJS.WriteStream);
  bar.show({ done: 25, total: 100 });
  bar[Symbol.dispose]();
  return String(stream.read());
};

test("progress without a terminal is printed in lines without a bar or escape codes", () => {
  const [first, ...others] = shownOn(new PassThrough()).split("\n");
  expect(first).toMatch(/^folding 25 %, 25 of 100 records, 0\/s, .* left$/);
  expect(others.join("")).not.toContain("\u001b");
});

test("a terminal shows a bar", () => {
  expect(shownOn(Object.assign(new PassThrough(), { isTTY: true, columns: 120 }))).toMatch(/folding \[=+-+\] 25 %/);
});
