import type { Hold, Job, NewJob, OutboxEntry, RowKey, RowWrite, Store } from "../core/ports.ts";
import type { Lane } from "../core/lane.ts";
import type { Millis } from "../core/time.ts";
import { laneStream } from "../core/stream.ts";
import { memoryJobs } from "./jobs.ts";

interface StoredRow {
  readonly lane: Lane;
  readonly json: string;
  readonly due: Millis | null;
}

/** A second implementation of the store (core/ports.ts): kept in memory, values as the JSON a database would hold. */
export const memoryStore = (now: () => Millis = () => 0): Store => {
  const holds = new Map<string, Hold>();
  const tables = new Map<string, Map<string, StoredRow>>();
  const outbox = new Map<string, { readonly entry: OutboxEntry; readonly savedAt: Millis }>();
  const jobs = memoryJobs();
  let queued = 0;

  const tableOf = (processor: string): Map<string, StoredRow> => {
    const found = tables.get(processor) ?? new Map<string, StoredRow>();
    tables.set(processor, found);
    return found;
  };
  const save = (entries: readonly OutboxEntry[]): void => {
    for (const entry of entries) outbox.set(`${entry.stream} ${entry.sequence}`, { entry, savedAt: now() });
  };
  const write = (table: Map<string, StoredRow>, { lane, key, value, due }: RowWrite): void => {
    if (value === null) table.delete(key);
    else table.set(key, { lane, json: JSON.stringify(value), due });
  };
  const scheduled = (processor: string, lanes: readonly Lane[]): readonly (RowKey & { due: Millis })[] =>
    [...tableOf(processor)]
      .flatMap(([key, { lane, due }]) => (due !== null && lanes.includes(lane) ? [{ lane, key, due }] : []))
      .toSorted((a, b) => a.due - b.due);

  return {
    claim(processor, lanes) {
      const claimed = lanes.map((lane) => {
        const before = holds.get(`${processor}/${lane}`) ?? { lane, epoch: 0, cursors: {}, heard: {}, sequence: 0 };
        const hold = { ...before, epoch: before.epoch + 1, sequence: Math.max(before.sequence, now() * 1_000) };
        holds.set(`${processor}/${lane}`, hold);
        return hold;
      });
      return Promise.resolve(claimed);
    },
    progress(processor, to) {
      const cursors: Record<string, number> = {};
      const sequences: Record<number, number> = {};
      const unpublished: Record<number, number> = {};
      for (const [name, hold] of holds) {
        if (!name.startsWith(`${processor}/`)) continue;
        Object.assign(cursors, hold.cursors);
        sequences[hold.lane] = hold.sequence;
        for (const { entry } of outbox.values())
          if (entry.topic === to && entry.stream === laneStream(processor, hold.lane))
            unpublished[hold.lane] = Math.min(unpublished[hold.lane] ?? Infinity, entry.sequence);
      }
      return Promise.resolve({ cursors, sequences, unpublished });
    },
    load: (processor, keys) =>
      Promise.resolve(
        keys.map(({ key }) => {
          const row = tableOf(processor).get(key);
          return row === undefined ? undefined : (JSON.parse(row.json) as unknown);
        }),
      ),
    due: (processor, lanes, until, limit) =>
      Promise.resolve(
        scheduled(processor, lanes)
          .filter(({ due }) => due <= until)
          .slice(0, limit)
          .map(({ lane, key }) => ({ lane, key })),
      ),
    nextDue: (processor, lanes) => Promise.resolve(scheduled(processor, lanes)[0]?.due ?? null),
    commit(commit) {
      const isFenced = commit.holds.some(
        ({ lane, epoch }) => holds.get(`${commit.processor}/${lane}`)?.epoch !== epoch,
      );
      if (isFenced) return Promise.resolve("fenced");
      for (const hold of commit.holds) holds.set(`${commit.processor}/${hold.lane}`, hold);
      for (const row of commit.rows) write(tableOf(commit.processor), row);
      save(commit.outbox);
      commit.jobs.forEach((job: NewJob) => jobs.add(job));
      return Promise.resolve("committed");
    },
    unpublished: (streams, bounds) =>
      Promise.resolve(
        [...outbox.values()]
          .filter(({ entry, savedAt }) => streams.includes(entry.stream) && savedAt < (bounds?.before ?? Infinity))
          .map(({ entry }) => entry)
          .toSorted((a, b) => a.sequence - b.sequence)
          .slice(0, bounds?.limit ?? Infinity),
      ),
    published(entries) {
      for (const { stream, sequence } of entries) outbox.delete(`${stream} ${sequence}`);
      return Promise.resolve();
    },
    lease: (queue, limit, at, until) => Promise.resolve(jobs.lease(queue, limit, at, until)),
    renew(held, until) {
      jobs.renew(held, until);
      return Promise.resolve();
    },
    nextJob: (queue) => Promise.resolve(jobs.next(queue)),
    settle(job: Job, settlement, entries) {
      if (!jobs.settle(job, settlement)) return Promise.resolve(false);
      const numbered = entries.map((entry) => ({ ...entry, sequence: ++queued }));
      save(numbered);
      return Promise.resolve(numbered);
    },
  };
};
