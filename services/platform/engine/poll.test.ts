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

/** Counts the records, of 25,000, that each commit takes; commits without records are left out. */
const takenBy = async (upstream: readonly Stage[]): Promise<readonly number[]> => {
  await using world = topology(product, codec, 1_000_000, () => 1);
  await world.process(counter(upstream), () => undefined);
  const taken: number[] = [];
  using _committed = listen("committed", ({ records }) => {
    const count = records.get("presence") ?? 0;
    if (count > 0) taken.push(count);
  });
  const record = { topic: "presence" as const, key: "ada", value: {} as never };
  await world.publish(...Array.from({ length: 25_000 }, () => record));
  await world.settle();
  return taken;
};

test("a step in log time takes all arrived records within its bound, a step in the order of arrival takes fewer", async () => {
  expect(await takenBy([flow.inboxStrays])).toEqual([25_000]);
  expect(await takenBy([])).toEqual([10_000, 10_000, 5_000]);
});
