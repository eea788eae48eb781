import { expect, test } from "vitest";
import { Poison } from "../contract/failure.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import { composeAll } from "./lookups.ts";

const processor: Processor<null, Keyed> = {
  name: "inboxes",
  inputs: [],
  home: "inbox",
  strays: null,
  order: "arrival",
  upstream: [],
  read: () => [],
  rows: () => [],
  fold: () => ({ writes: [], effects: [] }),
  wake: () => null,
  compose(payload) {
    if (payload === "bad") throw new Poison("it can't");
    return [{ type: "enqueue", queue: "q", id: String(payload), payload: null, runAt: 0 }];
  },
};

test("a Compose that the rule cannot take is stuck, and the others are composed", () => {
  const effects = ["bad", "good"].map((payload) => ({ lane: 3, effect: { type: "compose" as const, payload } }));
  const { effects: composed, stuck } = composeAll(processor, effects, () => undefined, 5);
  expect(composed).toMatchObject([{ lane: 3, effect: { id: "good" } }]);
  expect(stuck).toMatchObject([{ lane: 3, at: 5, error: { message: "it can't" } }]);
});
