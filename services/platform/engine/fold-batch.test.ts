import { type DeadLetter } from "../contract/records.ts";
import { product } from "../../domain/topics.ts";
import { deserialize, serialize } from "node:v8";
import { expect, test } from "vitest";
import { Poison } from "../contract/failure.ts";
import type { RowParts } from "../contract/row-parts.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import { memoryStore } from "../memory/store.ts";
import { topology } from "../memory/topology.ts";
import { readRows } from "./fold-batch.ts";

interface Count {
  sum: number;
  isSaved: boolean;
}
interface Plus extends Keyed {
  readonly by: number;
}

const parts: RowParts<Count> = {
  span: (key) => ({ keys: [key], prefix: null }),
  rowOf: (part) => part,
  timer: (key) => key,
  assemble: (_key, found) => {
    const [sum] = found.values();
    return sum === undefined ? undefined : { sum: sum as number, isSaved: true };
  },
  part: ({ sum }) => sum,
  changed: (key, row) => (row === null || row.isSaved ? [] : [[key, row.sum]]),
  saved: (row) => void (row.isSaved = true),
};

/** A rule that adds numbers up in place, and fails for 13 when it has changed the row already. */
const adder: Processor<Count, Plus> = {
  name: "inboxes",
  inputs: ["presence"],
  home: "inbox",
  strays: null,
  order: "arrival",
  upstream: [],
  parts,
  read: ({ key, value, at, loggedAt: timestamp }) => [{ key, at, loggedAt: timestamp, by: value as unknown as number }],
  rows: ({ key }) => [key],
  fold(event, rows) {
    const row = rows.get(event.key) ?? { sum: 0, isSaved: false };
    if ("type" in event) return { writes: [], effects: [] };
    row.sum += event.by;
    row.isSaved = false;
    if (event.by === 13) throw new Poison("an unlucky number");
    return { writes: [[event.key, row]], effects: [] };
  },
  wake: () => null,
};

test("rows that a failed fold has changed are read again, and the rest of the batch is folded", async () => {
  const codec = {
    prepare: () => Promise.resolve(),
    decode: (_topic: string, value: Uint8Array): unknown => deserialize(value),
    encode: (_topic: string, value: unknown) => serialize(value),
  };
  await using world = topology(product, codec, 1_000_000, () => 1);
  await world.process(adder, () => undefined);
  const add = (...numbers: readonly number[]) =>
    world.publish(...numbers.map((by) => ({ topic: "presence" as const, key: "ada", value: by as never })));
  await add(1, 2);
  await world.settle();
  await add(4, 13, 8, 13, 16);
  await world.settle();
  expect(await world.world.store.load("inboxes", [{ lane: 0, key: "ada" }])).toEqual([31]);
  expect((world.values("deadLetters") as readonly DeadLetter[]).map(({ reason }) => reason)).toEqual([
    "an unlucky number",
    "an unlucky number",
  ]);
});

test("rows that are not in memory are fetched twenty thousand at a time, each once", async () => {
  const store = memoryStore();
  const asked: number[] = [];
  const world = {
    store: {
      gather(...[processor, spans]: Parameters<typeof store.gather>) {
        asked.push(spans.length);
        return store.gather(processor, spans);
      },
    },
  };
  const cache = new Map([["0", { sum: 7, isSaved: true }]]);
  const keys = Array.from({ length: 25_001 }, (_none, index) => String(index));
  const due = [...keys, ...keys].map((key) => ({ lane: 0, key }));
  const { rows, fetched } = await readRows({ processor: adder, assignment: { cache }, world }, [], due);
  expect(asked).toEqual([20_000, 5_000]);
  expect(fetched).toBe(25_000);
  expect([rows.size, rows.get("0"), rows.get("1")]).toEqual([25_001, { sum: 7, isSaved: true }, null]);
});
