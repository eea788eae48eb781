import { laneOf } from "../platform/contract/lane.ts";
import type { Log, Store } from "../platform/contract/ports.ts";
import type { LookUp } from "./outdated.ts";

/** Looks rows of other processors up, one question for each of these. */
export const rowsOf =
  (log: Pick<Log, "partitions">, store: Pick<Store, "load">): LookUp =>
  async (lookups) => {
    const found = new Map<string, unknown>();
    const byProcessor = Map.groupBy(lookups, ({ processor }) => processor);
    await Promise.all(
      Array.from(byProcessor, async ([processor, some]) => {
        const keys = await Promise.all(
          some.map(async ({ home, id, key }) => ({ lane: laneOf(id, await log.partitions(home)), key })),
        );
        const values = await store.load(processor, keys);
        some.forEach(({ key }, index) => found.set(`${processor}\n${key}`, values[index]));
      }),
    );
    return lookups.map(({ processor, key }) => found.get(`${processor}\n${key}`));
  };
