import type { Lookup } from "../core/effect.ts";
import { laneOf } from "../core/lane.ts";
import type { RowKey } from "../core/ports.ts";
import type { Keyed } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import { type Folded, foldBatch, type LaneEffect, lookupName, lookupsOfAll } from "./batch.ts";
import type { World } from "./engine.ts";
import type { Item } from "./held.ts";
import type { Tenure } from "./tenure.ts";
import type { Turn } from "./turn.ts";

/** The rows that are sure to be read, from memory or the store; null where there is none. */
export const rowsFor = async <Row, Event extends Keyed, Given>(
  { processor, tenure, world }: Turn<Row, Event, Given>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
): Promise<Map<string, Row | null>> => {
  const wanted = new Map<string, RowKey>();
  for (const { lane, event } of items) for (const key of processor.rows(event)) wanted.set(key, { lane, key });
  for (const { lane, key } of due) wanted.set(key, { lane, key });
  const rows = new Map<string, Row | null>();
  await fetch([...wanted.values()], rows, processor.name, tenure, world);
  return rows;
};

const fetch = async <Row, Event>(
  wanted: readonly RowKey[],
  rows: Map<string, Row | null>,
  processor: string,
  tenure: Tenure<Row, Event>,
  { store }: World,
): Promise<void> => {
  const missing: RowKey[] = [];
  for (const row of wanted) {
    const cached = tenure.cache.get(row.key);
    if (cached === undefined) missing.push(row);
    else rows.set(row.key, cached);
  }
  const loaded = missing.length === 0 ? [] : await store.load(processor, missing);
  missing.forEach(({ key }, index) => rows.set(key, (loaded[index] as Row | undefined) ?? null));
};

/** Folds the batch; what it turns out to read beyond the rows at hand is fetched, until nothing lacks. */
export const foldOver = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  rows: Map<string, Row | null>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
  time: Millis,
): Promise<Folded<Event, Row>> => {
  for (;;) {
    const folded = foldBatch(it.processor, it.given, rows, items, due, time);
    if (!("lacking" in folded)) return folded;
    await fetch(folded.lacking, rows, it.processor.name, it.tenure, it.world);
  }
};

/** The rows that Composes look up: own ones as they are after the fold, others as the store has them. */
export const lookedUp = async <Row, Event extends Keyed, Given>(
  { processor, world }: Turn<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (key: string) => Row | null,
): Promise<(lookup: Lookup) => unknown> => {
  const found = new Map<string, unknown>();
  for (const [name, lookups] of Map.groupBy(lookupsOfAll(processor, effects), (lookup) => lookup.processor)) {
    const keys = await Promise.all(
      lookups.map(async ({ home, id, key }) => ({ lane: laneOf(id, await world.log.partitions(home)), key })),
    );
    const values = await world.store.load(name, keys);
    lookups.forEach((lookup, index) => {
      const mine = name === processor.name ? own(lookup.key) : null;
      found.set(lookupName(lookup), mine ?? values[index]);
    });
  }
  return (lookup) => found.get(lookupName(lookup));
};
