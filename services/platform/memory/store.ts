import type { DueRow, LaneProgress, Job, NewJob, OutboxEntry, RowWrite, Store } from "../contract/ports.ts";
import type { Lane } from "../contract/lane.ts";
import type { Millis } from "../contract/time.ts";
import { laneStream } from "../contract/stream.ts";
import { memoryJobs } from "./jobs.ts";

interface StoredRow {
  readonly lane: Lane;
  readonly json: string;
  readonly due: Millis | null;
}

/** Progress of a lane that nobody has claimed yet. */
const unclaimed = (lane: Lane): LaneProgress => ({
  lane,
  epoch: 0,
  cursors: {},
  lastSequence: {},
  partiallyFolded: {},
  lastTime: {},
  sequence: 0,
  watermark: -1,
  readOffsets: {},
  readWatermark: -1,
});

const revisit = (table: Map<string, StoredRow>, lanes: readonly Lane[], time: Millis): void => {
  for (const [key, row] of table)
    if (lanes.includes(row.lane) && row.due !== null && row.due > time) table.set(key, { ...row, due: time });
};

/** Makes a store in memory: a second implementation of the port (contract/ports.ts). Values are kept as JSON, as in a database. */
export const memoryStore = (now: () => Millis = () => 0): Store => {
  const holds = new Map<string, LaneProgress>();
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
  const scheduled = (processor: string, lanes: readonly Lane[]): readonly DueRow[] =>
    [...tableOf(processor)]
      .flatMap(([key, { lane, due }]) => (due !== null && lanes.includes(lane) ? [{ lane, key, due }] : []))
      .toSorted((a, b) => a.due - b.due || (a.key < b.key ? -1 : 1));

  return {
    claim(processor, lanes) {
      const claimed = lanes.map((lane) => {
        const before = holds.get(`${processor}/${lane}`) ?? unclaimed(lane);
        const hold = { ...before, epoch: before.epoch + 1, sequence: Math.max(before.sequence, now() * 1_000) };
        holds.set(`${processor}/${lane}`, hold);
        return hold;
      });
      return Promise.resolve(claimed);
    },
    progress(processor, to) {
      const ofProcessor = [...holds].filter(([name]) => name.startsWith(`${processor}/`)).map(([, hold]) => hold);
      return Promise.resolve(
        ofProcessor.map(({ lane, cursors, readOffsets, watermark, readWatermark, sequence }) => {
          const waiting = [...outbox.values()].filter(
            ({ entry }) => entry.topic === to && entry.stream === laneStream(processor, lane),
          );
          const unpublished = waiting.length === 0 ? null : Math.min(...waiting.map(({ entry }) => entry.sequence));
          return { lane, cursors, readOffsets, watermark, readWatermark, sequence, unpublished };
        }),
      );
    },
    load: (processor, keys) =>
      Promise.resolve(
        keys.map(({ key }) => {
          const row = tableOf(processor).get(key);
          return row === undefined ? undefined : (JSON.parse(row.json) as unknown);
        }),
      ),
    gather: (processor, spans) =>
      Promise.resolve(
        spans.map(({ lane, keys, prefix }) => {
          const within = [...tableOf(processor)].filter(
            ([key, row]) => row.lane === lane && (keys.includes(key) || (prefix !== null && key.startsWith(prefix))),
          );
          return new Map(within.map(([key, { json }]) => [key, JSON.parse(json) as unknown]));
        }),
      ),
    due: (processor, lanes, until, limit) =>
      Promise.resolve(
        scheduled(processor, lanes)
          .filter(({ due }) => due <= until)
          .slice(0, limit),
      ),
    nextDue: (processor, lanes) => Promise.resolve(scheduled(processor, lanes)[0]?.due ?? null),
    commit(commit) {
      const isFenced = commit.lanes.some(
        ({ lane, epoch }) => holds.get(`${commit.processor}/${lane}`)?.epoch !== epoch,
      );
      if (isFenced) return Promise.resolve("fenced");
      for (const hold of commit.lanes) holds.set(`${commit.processor}/${hold.lane}`, hold);
      if (commit.revisit !== null)
        revisit(
          tableOf(commit.processor),
          commit.lanes.map(({ lane }) => lane),
          commit.revisit,
        );
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
      if (!jobs.settle(job, settlement, now())) return Promise.resolve(false);
      const numbered = entries.map((entry) => ({ ...entry, sequence: ++queued }));
      save(numbered);
      return Promise.resolve(numbered);
    },
    forget: (queue, before, limit) => Promise.resolve(jobs.forget(queue, before, limit)),
  };
};
