import type { Lookup } from "../contract/effect.ts";
import { laneOf } from "../contract/lane.ts";
import type { Log, Store } from "../contract/ports.ts";

/** Fetches rows of processors; undefined for a row that does not exist. Throws Transient. */
export type LookUp = (lookups: readonly Lookup[]) => Promise<readonly unknown[]>;

/** Looks rows up with one question to the store for each processor. */
export const rowLookup =
  (log: Pick<Log, "partitions">, store: Pick<Store, "load">): LookUp =>
  async (lookups) => {
    const found = new Map<string, unknown>();
    const byProcessor = Map.groupBy(lookups, ({ processor }) => processor);
    await Promise.all(
      Array.from(byProcessor, async ([processor, some]) => {
        const homes = [...new Set(some.map(({ home }) => home))];
        const lanes = new Map(
          await Promise.all(homes.map(async (home) => [home, await log.partitions(home)] as const)),
        );
        const keys = some.map(({ home, id, key }) => ({ lane: laneOf(id, lanes.get(home) ?? 1), key }));
        const values = await store.load(processor, keys);
        some.forEach((lookup, index) => found.set(nameOfRow(lookup), values[index]));
      }),
    );
    return lookups.map((lookup) => found.get(nameOfRow(lookup)));
  };

/** Name of a row among those of all processors. */
export const nameOfRow = ({ processor, key }: Lookup): string => `${processor}\n${key}`;
