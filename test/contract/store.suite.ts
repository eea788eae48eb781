import { memoryStore } from "../../services/platform/memory/store.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { database } from "../support/world.ts";
import type {
  Commit,
  LaneProgress,
  Job,
  NewJob,
  OutboxEntry,
  RowWrite,
  Store,
} from "../../services/platform/contract/ports.ts";

/** The stores under the contract, each opened anew. */
export const stores: readonly (readonly [where: string, open: () => Promise<Store>])[] = [
  ["in memory", () => Promise.resolve(memoryStore(Date.now))],
  ["in PostgreSQL", async () => postgresStore(await database())],
];

/** A store, with numbers for lanes, streams and queues of a test's own: tests share a store and never meet on it. */
export interface Ground {
  readonly store: Store;
  /** A number that no other test of the ground has. */
  next(): number;
}

export const ground = (store: Store): Ground => {
  let number = 0;
  return { store, next: () => ++number };
};

/** A processor with a state table. */
export const PROCESSOR = "inboxes";

/** Claims a lane that was never claimed. */
export const claimed = async ({ store, next }: Ground): Promise<LaneProgress> => {
  const [hold] = await store.claim(PROCESSOR, [next()]);
  if (hold === undefined) throw new Error("a claim must return the progress of each lane");
  return hold;
};

/** A commit with empty parts but for those given. */
export const commitOf = (holds: readonly LaneProgress[], more: Partial<Commit> = {}): Commit => ({
  processor: PROCESSOR,
  lanes: holds,
  revisit: null,
  rows: [],
  outbox: [],
  jobs: [],
  ...more,
});

export const row = ({ lane }: LaneProgress, key: string, value: unknown, due: number | null = null): RowWrite => ({
  lane,
  key,
  value,
  due,
});

export const entry = (stream: string, sequence: number, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  stream,
  sequence,
  topic: "notifications",
  partition: null,
  key: "ada",
  value: Uint8Array.of(sequence),
  ...more,
});

/** An entry of a job's outbox: the store numbers it. */
export const unnumbered = (stream: string, more: Partial<OutboxEntry> = {}): Omit<OutboxEntry, "sequence"> => {
  const { sequence: _, ...rest } = entry(stream, 0, more);
  return rest;
};

/** Entries with their bytes as plain numbers, so that a Buffer and a Uint8Array of the same bytes are equal. */
export const plain = (entries: readonly OutboxEntry[]): readonly object[] =>
  entries.map((each) => ({ ...each, value: [...each.value] }));

export const job = (queue: string, id: string, runAt = 0, payload: unknown = { id }): NewJob => ({
  queue,
  id,
  runAt,
  payload,
});

/** Puts jobs on their queues. */
export const enqueue = async (on: Ground, ...jobs: readonly NewJob[]): Promise<void> => {
  await on.store.commit(commitOf([await claimed(on)], { jobs }));
};

/** Leases the one job that is due. */
export const leaseOne = async ({ store }: Ground, queue: string, now: number, until: number): Promise<Job> => {
  const [found, more] = await store.lease(queue, 2, now, until);
  if (found === undefined || more !== undefined) throw new Error(`not one job on ${queue} at ${now}`);
  return found;
};

/** The values of a lane's rows, in the order of the keys. */
export const valuesOf = (
  { store }: Ground,
  { lane }: LaneProgress,
  ...keys: readonly string[]
): Promise<readonly unknown[]> =>
  store.load(
    PROCESSOR,
    keys.map((key) => ({ lane, key })),
  );
