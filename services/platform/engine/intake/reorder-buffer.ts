import type { Lane } from "../../contract/lane.ts";
import type { LaneProgress, RawRecord } from "../../contract/ports.ts";
import { countOf, type Keyed } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, type TopicPartition } from "../../contract/topic-partition.ts";
import { type Product, rankOf } from "../../contract/topic.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import type { PendingEvent } from "../pending-event.ts";
import type { Origin } from "./decode.ts";
import { countUntil, type Timed, timeOf } from "./log-time.ts";

/** A record that was read for this lane, and its events. */
export interface ReadRecord<Event> {
  readonly lane: Lane;
  /** The partition that it was read from. */
  readonly from: TopicPartition;
  readonly raw: RawRecord;
  readonly origin: Origin;
  readonly queue: string;
  /** Its number in the queue, rising. */
  readonly number: number;
  readonly events: readonly Event[];
}

/** Events that are read and wait until the watermark has reached their time. */
export interface ReorderBuffer<Event> {
  /** Adds a record that follows those of its partition and of its queue. */
  add(record: ReadRecord<Event>): void;
  /** Notes that everything of the partition before `next` is read. */
  advance(partition: TopicPartition, next: number): void;
  /** The time of the first waiting event; Infinity where none waits. */
  earliest(): Millis;
  /** Tells whether an event of the lane waits. */
  has(lane: Lane): boolean;
  /** Tells whether as many events of this partition wait as may. */
  isFull(partition: TopicPartition): boolean;
  /**
   * The events logged by `until`, in order. Where they are more than about `limit` (an event of several keys counts for
   * each), the earliest of them, all events of one time or none. `until` is the time up to which these are all.
   */
  ready(until: Millis, limit: number): { readonly items: readonly PendingEvent<Event>[]; readonly until: Millis };
  /** Takes out the events up to `until`, which are folded; returns the lane's progress by that. */
  release(until: Millis, progress: LaneProgress): LaneProgress;
}

/**
 * Events that wait of all partitions together (one of several keys counts for each), and the bytes of their records. Where
 * that is reached, a partition may still have its equal share: no partition is kept from being read by the others.
 */
const MAX_EVENTS = scaledToHeap(500_000);
const MAX_BYTES = scaledToHeap(64 * 1024 * 1024);
/** The least share of a partition: a fetch or two. */
const MIN_EVENTS = 1_000;
const MIN_BYTES = 1024 * 1024;

interface Waiting<Event> extends PendingEvent<Event>, Timed {
  readonly record: WaitingRecord;
  readonly at: Millis;
  readonly rank: number;
  readonly source: string;
}

/** A record with events that wait. */
interface WaitingRecord {
  readonly source: Source;
  readonly offset: number;
  readonly number: number;
  readonly bytes: number;
  readonly events: number;
  left: number;
}

/** A partition that is read, and what waits of it. */
interface Source {
  readonly lane: Lane;
  records: WaitingRecord[];
  next: number;
  events: number;
  bytes: number;
}

interface Queue<Event> {
  readonly name: string;
  readonly lane: Lane;
  waiting: Waiting<Event>[];
  loggedAt: Millis;
  at: Millis;
  total: number;
}

interface Buffer<Event> {
  readonly product: Pick<Product, "precedence">;
  readonly progress: ReadonlyMap<Lane, LaneProgress>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly queues: Map<string, Queue<Event>>;
  /** By queue, events folded before the lanes were claimed, of the record that comes first in it now. */
  readonly begun: Map<string, number>;
  /** Events and bytes of all sources. */
  readonly whole: { events: number; bytes: number };
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** @param progress of the lanes as they were claimed */
export const reorderBuffer = <Event extends Keyed>(
  partitions: readonly TopicPartition[],
  lanes: number,
  progress: ReadonlyMap<Lane, LaneProgress>,
  product: Pick<Product, "precedence">,
): ReorderBuffer<Event> => {
  const share = Math.max(1, partitions.length);
  const buffer: Buffer<Event> = {
    product,
    progress,
    sources: sourcesOf(partitions, lanes, progress),
    queues: new Map(),
    begun: new Map([...progress.values()].flatMap(({ partiallyFolded }) => Object.entries(partiallyFolded))),
    whole: { events: 0, bytes: 0 },
    maxEvents: Math.max(MIN_EVENTS, Math.floor(MAX_EVENTS / share)),
    maxBytes: Math.max(MIN_BYTES, Math.floor(MAX_BYTES / share)),
  };
  const { sources, queues, whole } = buffer;
  return {
    add: (record) => add(buffer, record),
    advance(partition, next) {
      const source = sources.get(nameOfPartition(partition));
      if (source !== undefined) source.next = Math.max(source.next, next);
    },
    earliest: () => {
      let first = Infinity;
      for (const { waiting } of queues.values()) first = Math.min(first, waiting[0]?.loggedAt ?? Infinity);
      return first;
    },
    has: (lane) => [...sources.values()].some((source) => source.lane === lane && source.records.length > 0),
    isFull(partition) {
      const source = sources.get(nameOfPartition(partition));
      if (source === undefined || (whole.events < MAX_EVENTS && whole.bytes < MAX_BYTES)) return false;
      return source.events >= buffer.maxEvents || source.bytes >= buffer.maxBytes;
    },
    ready(until, limit) {
      const all = Array.from(queues.values(), ({ waiting }) => waiting);
      const last = timeOf(all, until, limit);
      const items = all.flatMap((waiting) => waiting.slice(0, countUntil(waiting, last)));
      return { items: items.toSorted(inOrder), until: last };
    },
    release: (until, before) => release(buffer, until, before),
  };
};

const sourcesOf = (
  partitions: readonly TopicPartition[],
  lanes: number,
  progress: ReadonlyMap<Lane, LaneProgress>,
): ReadonlyMap<string, Source> =>
  new Map(
    partitions.map((partition) => {
      const lane = partition.partition % lanes;
      const next = progress.get(lane)?.cursors[nameOfPartition(partition)] ?? 0;
      return [nameOfPartition(partition), { lane, records: [], next, events: 0, bytes: 0 }];
    }),
  );

/** Adds to what waits of a source and of all, or takes away from it. */
const weigh = ({ whole }: Buffer<unknown>, source: Source, events: number, bytes: number): void => {
  for (const sum of [source, whole]) {
    sum.events += events;
    sum.bytes += bytes;
  }
};

const queueOf = <Event>({ queues, progress }: Buffer<Event>, name: string, lane: Lane): Queue<Event> => {
  const found = queues.get(name);
  if (found !== undefined) return found;
  const loggedAt = progress.get(lane)?.lastTime[name] ?? -1;
  const made = { name, lane, waiting: [], loggedAt, at: -Infinity, total: 0 };
  queues.set(name, made);
  return made;
};

const add = <Event extends Keyed>(buffer: Buffer<Event>, record: ReadRecord<Event>): void => {
  const { lane, from, raw, origin, queue: name, number, events } = record;
  const source = buffer.sources.get(nameOfPartition(from));
  if (source === undefined || events.length === 0) return;
  const queue = queueOf(buffer, name, lane);
  const bytes = (raw.value?.length ?? 0) + (raw.key?.length ?? 0);
  const all = events.reduce((sum, event) => sum + countOf(event), 0);
  const waitingRecord: WaitingRecord = { source, offset: raw.offset, number, bytes, events: all, left: 0 };
  const sourceName = nameOfPartition(origin);
  const rank = rankOf(buffer.product, origin.topic);
  let folded = buffer.begun.get(name) ?? 0;
  buffer.begun.delete(name);
  if (folded >= all) return;
  for (const event of events) {
    const count = countOf(event);
    folded -= count;
    if (folded >= 0) continue;
    waitingRecord.left += count;
    const loggedAt = Math.max(queue.loggedAt, event.loggedAt);
    const at = loggedAt === queue.loggedAt ? Math.max(queue.at, event.at) : event.at;
    queue.loggedAt = loggedAt;
    queue.at = at;
    queue.total += count;
    const own = loggedAt === event.loggedAt ? event : { ...event, loggedAt };
    const { total } = queue;
    queue.waiting.push({
      lane,
      event: own,
      raw,
      record: waitingRecord,
      loggedAt,
      at,
      rank,
      source: sourceName,
      count,
      total,
    });
  }
  source.records.push(waitingRecord);
  weigh(buffer, source, waitingRecord.left, bytes);
};

const release = <Event>(buffer: Buffer<Event>, until: Millis, progress: LaneProgress): LaneProgress => {
  const lastSequence = { ...progress.lastSequence };
  const partiallyFolded = { ...progress.partiallyFolded };
  const lastTime = { ...progress.lastTime };
  for (const queue of buffer.queues.values()) {
    if (queue.lane !== progress.lane) continue;
    const count = countUntil(queue.waiting, until);
    if (count === 0) continue;
    for (const { record, loggedAt, count: events } of queue.waiting.slice(0, count)) {
      lastTime[queue.name] = loggedAt;
      record.left -= events;
      weigh(buffer, record.source, -events, record.left === 0 ? -record.bytes : 0);
      if (record.left === 0) {
        lastSequence[queue.name] = record.number;
        delete partiallyFolded[queue.name];
      } else partiallyFolded[queue.name] = record.events - record.left;
    }
    queue.waiting = queue.waiting.slice(count);
  }
  return { ...progress, cursors: cursorsOf(buffer.sources, progress), lastSequence, partiallyFolded, lastTime };
};

/** The lane's cursors: the same object where nothing has changed. */
const cursorsOf = (
  sources: ReadonlyMap<string, Source>,
  { lane, cursors: before }: LaneProgress,
): LaneProgress["cursors"] => {
  const moved: Record<string, number> = {};
  for (const [name, source] of sources) {
    if (source.lane !== lane) continue;
    const first = source.records.findIndex(({ left }) => left > 0);
    source.records = first === -1 ? [] : source.records.slice(first);
    const cursor = source.records[0]?.offset ?? source.next;
    if (cursor > (before[name] ?? 0)) moved[name] = cursor;
  }
  return Object.keys(moved).length === 0 ? before : { ...before, ...moved };
};

/**
 * The order of folding: by Kafka timestamp, then the record's own time, then the precedence of its topic (`Product`). Events
 * of one queue keep their order.
 */
const inOrder = <Event>(a: Waiting<Event>, b: Waiting<Event>): number =>
  a.loggedAt - b.loggedAt ||
  a.at - b.at ||
  a.rank - b.rank ||
  a.record.number - b.record.number ||
  (a.source === b.source ? 0 : a.source < b.source ? -1 : 1);
