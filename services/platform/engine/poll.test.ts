import { product } from "../../domain/topics.ts";
import { deserialize, serialize } from "node:v8";
import { expect, test } from "vitest";
import { flow } from "../../domain/flow.ts";
import type { Codec } from "../contract/ports.ts";
import type { Keyed, Processor, Stage } from "../contract/processor.ts";
import { topology } from "../memory/topology.ts";
import { listen } from "../runtime/facts.ts";

const codec: Codec = {
  prepare: () => Promise.resolve(),
  decode: (_topic, value): unknown => deserialize(value),
  encode: (_topic, value) => serialize(value),
};

const counter = (upstream: readonly Stage[]): Processor<null, Keyed> => ({
  name: "inboxes",
  inputs: ["presence"],
  home: "inbox",
  strays: null,
  order: upstream.length === 0 ? "arrival" : "log time",
  upstream,
  read: ({ key, at, loggedAt: timestamp }) => [{ key, at, loggedAt: timestamp }],
  rows: () => [],
  fold: () => ({ writes: [], effects: [] }),
  wake: () => null,
});

/** How many of 25,000 records are taken for each of the commits that take any. */
const takenBy = async (upstream: readonly Stage[]): Promise<readonly number[]> => {
  await using world = topology(product, codec, 1_000_000, () => 1);
  await world.process(counter(upstream), () => undefined);
  const taken: number[] = [];
  using _committed = listen("committed", ({ records }) => {
    const count = records.get("presence") ?? 0;
    if (count > 0) taken.push(count);
  });
  const one = { topic: "presence" as const, key: "ada", value: {} as never };
  await world.publish(...Array.from({ length: 25_000 }, () => one));
  await world.settle();
  return taken;
};

test("a turn takes all that has come, within bounds; who folds records as they come has fewer in a transaction", async () => {
  expect(await takenBy([flow.inboxStrays])).toEqual([25_000]);
  expect(await takenBy([])).toEqual([10_000, 10_000, 5_000]);
});
