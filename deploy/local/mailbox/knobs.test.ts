import { expect, test } from "vitest";
import { knobOf, SLOW_LIMIT_MS } from "./knobs.ts";

test.each([
  "ada@example.com",
  "reject@example.com",
  "reject-250@example.com",
  "reject-451@example.com",
  "defer-550@example.com",
  "no-reject-550@example.com",
  "",
])("%s is an ordinary address", (address) => expect(knobOf(address)).toBeUndefined());

test("tags tell addresses of one knob apart", () => {
  expect(knobOf("REJECT-550+1@example.com")).toEqual(knobOf("reject-550@other.example"));
});

test("no address waits longer than the limit", () => {
  expect(knobOf("slow-999999@example.com")).toEqual({ at: "slow", ms: SLOW_LIMIT_MS });
});
