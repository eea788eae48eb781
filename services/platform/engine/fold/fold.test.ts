import { describe, expect, test } from "vitest";
import type { Folded, Refused } from "./folded.ts";
import { Poison } from "../../contract/failure.ts";
import type { Due, Keyed, Processor, Rows, Step } from "../../contract/processor.ts";
import { HOUR } from "../../contract/time.ts";
import { type RowParts, whole } from "../../contract/row-parts.ts";
import { type Batch, type DirtyRows, startFold } from "./fold.ts";

interface Row {
  readonly wake: number | null;
  readonly what?: "poison" | "again" | "unwakeable";
}
interface Said extends Keyed {
  readonly writes: readonly (readonly [string, Row])[];
}

const folded: string[] = [];
const rule: Processor<Row, Said> = {
  name: "inboxes",
  inputs: ["presence"],
  home: "inbox",
  strays: null,
  order: "arrival",
  upstream: [],
  read: () => [],
  rows: ({ key }) => [key],
  fold(event: Said | Due, rows: Rows<Row>): Step<Row> {
    folded.push(`${event.key} at ${event.at}`);
    if (!("type" in event)) return { writes: event.writes, effects: [] };
    const row = rows.get(event.key);
    if (row?.what === "poison") throw new Poison("it can't");
    return { writes: [[event.key, row?.what === "again" ? row : { wake: null }]], effects: [] };
  },
  wake(row) {
    if (row.what === "unwakeable") throw new TypeError("no time at all");
    return row.wake;
  },
};

const said = (key: string, loggedAt: number, ...writes: Said["writes"]) => ({
  lane: 0,
  event: { key, at: loggedAt, loggedAt, writes },
  raw: {
    topic: "presence" as const,
    partition: 0,
    offset: 0,
    timestamp: loggedAt,
    key: null,
    value: null,
    headers: {},
  },
});
/** Folds the items one by one, as if other work had its turn between any two. */
const foldAll = (
  processor: typeof rule,
  rows: ReadonlyMap<string, Row>,
  items: readonly ReturnType<typeof said>[],
  surroundings: Pick<Batch<Row, Said, undefined>, "due" | "refused" | "maxTimers" | "maxEffects">,
  time: number,
): Folded<Said, Row> => {
  const fold = startFold({ ...surroundings, processor, given: undefined, rows, time });
  for (const item of items) fold.fold([item]);
  return fold.end() as Folded<Said, Row>;
};
const batch = (
  rows: Readonly<Record<string, Row>>,
  items: readonly ReturnType<typeof said>[],
  time: number,
  maxTimers = 10_000,
) => {
  folded.length = 0;
  const due = Object.keys(rows).map((key) => ({ lane: 0, key }));
  return foldAll(
    rule,
    new Map(Object.entries(rows)),
    items,
    { due, refused: new Map(), maxTimers, maxEffects: 9 },
    time,
  );
};
const dueOf = ({ writes }: Folded<Said, Row>) => Object.fromEntries(writes.map(({ key, due }) => [key, due]));

describe("timers", () => {
  test("fire between records, by time and then by key; those of a record's own time come after it", () => {
    const rows = { c: { wake: 2 }, b: { wake: 2 }, a: { wake: 5 }, d: { wake: 9 } };
    const items = [said("x", 2), said("y", 4, ["new", { wake: 4 }]), said("z", 5)];
    const done = batch(rows, items, 7);
    expect(folded).toEqual(["x at 2", "b at 2", "c at 2", "y at 4", "new at 4", "z at 5", "a at 5"]);
    expect(dueOf(done)).toEqual({ a: null, b: null, c: null, d: 9, new: null });
    expect(done.timers).toBe(4);
  });

  test("fire at the time that their row asked for last", () => {
    batch({ a: { wake: 3 } }, [said("x", 2, ["a", { wake: 6 }]), said("y", 4)], 7);
    expect(folded).toEqual(["x at 2", "y at 4", "a at 6"]);
    batch({ a: { wake: 3 } }, [said("x", 2, ["a", { wake: 8 }])], 7);
    expect(folded).toEqual(["x at 2"]);
  });

  test("end the batch at their limit; the others stay set, and the events after them are not folded", () => {
    const rows = { a: { wake: 2 }, b: { wake: 3 }, c: { wake: 4 }, d: { wake: 9 } };
    const done = batch(rows, [said("x", 1), said("y", 3), said("z", 5)], 7, 2);
    expect(folded).toEqual(["x at 1", "a at 2", "y at 3", "b at 3"]);
    expect(done).toMatchObject({ timers: 2, items: 2, time: 3 });
    expect(dueOf(done)).toEqual({ a: null, b: null, c: 4, d: 9 });
  });

  test("end the batch at the time of the last event that is folded", () => {
    const rows = { a: { wake: 2 }, b: { wake: 3 }, c: { wake: 5 } };
    const items = [said("x", 1), said("y", 3), said("w", 4), said("v", 4)];
    const done = batch(rows, [...items, said("z", 6)], 7, 2);
    expect(folded).toEqual(["x at 1", "a at 2", "y at 3", "b at 3", "w at 4", "v at 4"]);
    expect(done).toMatchObject({ items: 4, time: 4 });
    expect(batch(rows, items, 7, 2)).toMatchObject({ items: 4, time: 4 });
    expect(dueOf(done)).toEqual({ a: null, b: null, c: 5 });
  });

  test("of one time may end the batch, and all records of that time are folded", () => {
    const rows = { a: { wake: 3 }, b: { wake: 3 }, c: { wake: 3 } };
    const done = batch(rows, [said("x", 3), said("y", 4)], 7, 2);
    expect(folded).toEqual(["x at 3", "a at 3", "b at 3"]);
    expect(done).toMatchObject({ items: 1, time: 3 });
    expect(dueOf(done)).toEqual({ a: null, b: null, c: 3 });
  });

  test.each([
    ["poison", "it can't"],
    ["again", "inboxes: the row keeps asking to be woken at 3"],
    ["unwakeable", "no time at all"],
  ] as const)("that the rule cannot take are put off, and the other timers fire: %s", (what, reason) => {
    const done = batch({ a: { wake: 3, what }, b: { wake: 4 } }, [said("x", 5)], 7);
    expect(folded.slice(-2)).toEqual(["b at 4", "x at 5"]);
    expect(done.stuck).toMatchObject([{ lane: 0, key: "a", error: { message: reason } }]);
    expect(done.writes.find(({ key }) => key === "a")).toMatchObject({ value: { what }, due: 7 + HOUR });
  });
});

test("a batch ends at its limit of effects, between two times", () => {
  const enqueuing = {
    ...rule,
    fold: (event: Said | Due, rows: Rows<Row>): Step<Row> => ({
      ...rule.fold(event, rows, undefined),
      effects: [{ type: "enqueue", queue: "q", id: event.key, payload: null, runAt: 0 }],
    }),
  };
  const items = [said("x", 1), said("y", 2), said("z", 2), said("w", 3)];
  const limits = { due: [], refused: new Map(), maxTimers: 9, maxEffects: 2 };
  const done = foldAll(enqueuing, new Map(), items, limits, 7);
  expect(done).toMatchObject({ items: 3, time: 2, effects: { length: 3 } });
});

describe("an event of several keys", () => {
  const verdict = { verdict: "CANDIDATE" } as never;
  const noting = {
    ...rule,
    fold(event: Said | Due, rows: Rows<Row>): Step<Row> {
      if (event.key === "bad") throw new Poison("it can't");
      const { writes } = rule.fold(event, rows, undefined);
      return { writes, effects: [{ type: "multicast", topic: "ledger", entry: verdict, keys: [event.key] }] };
    },
  };
  const toAll = said("a", 2);
  const item = { ...toAll, event: { ...toAll.event, keys: ["a", "bad", "b"] } };
  const limits = { due: [], refused: new Map(), maxTimers: 9, maxEffects: 9 };

  test("is folded for each of them, and is refused for one key alone", () => {
    folded.length = 0;
    const done = foldAll(noting, new Map(), [item, said("c", 3)], limits, 7);
    expect(folded).toEqual(["a at 2", "b at 2", "c at 3"]);
    expect(done).toMatchObject({ items: 2, events: 4, poisoned: [{ item, error: { message: "it can't" } }] });
  });

  test("gives one multicast to all keys with equal entries", () => {
    const { effects } = foldAll(noting, new Map(), [item, said("c", 3)], limits, 7);
    expect(effects.map(({ effect }) => effect)).toEqual([
      { type: "multicast", topic: "ledger", entry: verdict, keys: ["a", "b"] },
      { type: "multicast", topic: "ledger", entry: verdict, keys: ["c"] },
    ]);
  });

  test("makes the rows dirty by the key that it fails for, and is folded for the others without that key", () => {
    const inPlace = { ...noting, parts: whole as RowParts<Row> };
    expect(() => foldAll(inPlace, new Map(), [item], limits, 7)).toThrow(
      expect.objectContaining({ key: "bad", by: item }) as DirtyRows<Said>,
    );
    const refused: Refused<Said> = new Map([["bad", new Map([[item, "it can't"]])]]);
    folded.length = 0;
    const done = foldAll(inPlace, new Map(), [item], { ...limits, refused }, 7);
    expect(folded).toEqual(["a at 2", "b at 2"]);
    expect(done.poisoned).toEqual([{ item, error: "it can't" }]);
  });
});

describe("a fold that fails where rows are changed in place", () => {
  const inPlace = { ...rule, parts: whole as RowParts<Row> };
  const rows = new Map([["a", { wake: 3, what: "poison" } as const]]);
  const batchOf = (refused: Refused<Said>) => ({
    due: [{ lane: 0, key: "a" }],
    refused,
    maxTimers: 1,
    maxEffects: 1,
  });

  test("makes the rows dirty, and the error names the key and the timer", () => {
    const run = () => foldAll(inPlace, rows, [], batchOf(new Map()), 7);
    expect(run).toThrow(expect.objectContaining({ key: "a", by: 3, cause: new Poison("it can't") }) as DirtyRows<Said>);
  });

  test("is left out of the next batch, which is given it as refused", () => {
    const done = foldAll(inPlace, rows, [], batchOf(new Map([["a", new Map([[3, "it can't"]])]])), 7);
    expect(done.stuck).toEqual([{ lane: 0, key: "a", at: 7, error: "it can't" }]);
  });
});
