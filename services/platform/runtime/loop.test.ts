import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Fatal, Transient } from "../contract/failure.ts";
import { listen } from "./facts.ts";
import { loop } from "./loop.ts";

const clock = { now: () => Date.now() };

test("a loop that cannot take an arrived record leaves time to others in the process", async () => {
  const stop = new AbortController();
  let steps = 0;
  const step = (): Promise<boolean> => Promise.resolve(++steps < 0);
  const running = loop({ name: "full", step, arrival: () => Promise.resolve() }, clock, stop.signal);
  await delay(1); // a timer never fires while promises alone keep the process busy
  stop.abort();
  await running;
  expect(steps).toBeGreaterThan(0);
});

test("a step that fails transiently is tried again, and the failure is announced", async () => {
  const stop = new AbortController();
  using _ = listen("stumbled", ({ loop: name, error }) => said.push(`${name}: ${error.message}`));
  const said: string[] = [];
  let steps = 0;
  const step = (): Promise<boolean> => {
    if (++steps === 1) return Promise.reject(new Transient("not now"));
    stop.abort();
    return Promise.resolve(true);
  };
  await loop({ name: "patient", step }, clock, stop.signal);
  expect([steps, said]).toEqual([2, ["patient: not now"]]);
});

test.each([new Fatal("we are wrong"), new TypeError("a bug")])(
  "a fatal failure or a bug ends the loop: %s",
  async (error) => {
    const step = (): Promise<boolean> => Promise.reject(error);
    await expect(loop({ name: "hopeless", step }, clock, new AbortController().signal)).rejects.toBe(error);
  },
);
