import type { Lane } from "../../contract/lane.ts";
import type { LaneProgress, TopicPartition, RawRecord } from "../../contract/ports.ts";
import { countOf, type Keyed } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition } from "../time/watermark.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { type Origin, rank } from "./decode.ts";

/** Something to fold, with its lane and where it stands in the order of time. */
export interface Item<Event> {
  readonly lane: Lane;
  readonly event: Event;
  /** The record that said so. */
  readonly raw: RawRecord;
}

/** A record that is examined, and what it says. */
export interface Examined<Event> {
  readonly lane: Lane;
  readonly place: TopicPartition;
  readonly raw: RawRecord;
  readonly origin: Origin;
  readonly queue: string;
  /** Its number in the queue, rising. */
  readonly number: number;
  readonly events: readonly Event[];
}

/** What is examined and waits until the stream's time has come to it. */
export interface Held<Event> {
  /** A record that follows those of its place and of its queue. */
  add(record: Examined<Event>): void;
  /** Everything of the place before `next` is examined. */
  pass(place: TopicPartition, next: number): void;
  /** The time of the first that waits; Infinity where nothing does. */
  first(): Millis;
  /** Whether anything of the lane waits. */
  has(lane: Lane): boolean;
  /** Whether of this place as much waits as may. */
  isFull(place: TopicPartition): boolean;
  /**
   * What is to be folded now: all that was logged by `until`, in order; where that is more than about `limit` (an event of
   * several keys counts for each), the least of it, all of one time or nothing of it. With the time by which this is all.
   */
  due(until: Millis, limit: number): { readonly items: readonly Item<Event>[]; readonly until: Millis };
  /** It is folded: what the lane's hold is by that. */
  take(until: Millis, hold: LaneProgress): LaneProgress;
}

/**
 * Events that wait of all places together (one of several keys counts for each), and the bytes of their records. Where
 * that is reached, a place may still have its equal share of as much: what others have taken keeps none from being read.
 */
const MAX_HELD = scaledToHeap(500_000);
const MAX_HELD_BYTES = scaledToHeap(64 * 1024 * 1024);
/** The least share of a place: a fetch or two. */
const MIN_HELD = 1_000;
const MIN_HELD_BYTES = 1024 * 1024;

interface Waiting<Event> extends Item<Event> {
  readonly record: Pending;
  readonly loggedAt: Millis;
  readonly at: Millis;
  readonly rank: number;
  readonly source: string;
  readonly count: number;
  /** How many of its queue there are up to here, in all. */
  readonly total: number;
}

/** A record of which something waits. */
interface Pending {
  readonly spot: Spot;
  readonly offset: number;
  readonly number: number;
  readonly bytes: number;
  readonly events: number;
  left: number;
}

interface Spot {
  readonly lane: Lane;
  records: Pending[];
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

/** @param holds as the lanes were claimed */
export const held = <Event extends Keyed>(
  places: readonly TopicPartition[],
  lanes: number,
  holds: ReadonlyMap<Lane, LaneProgress>,
): Held<Event> => {
  const spots = new Map<string, Spot>(
    places.map((place) => {
      const lane = place.partition % lanes;
      const next = holds.get(lane)?.cursors[nameOfPartition(place)] ?? 0;
      return [nameOfPartition(place), { lane, records: [], next, events: 0, bytes: 0 }];
    }),
  );
  const queues = new Map<string, Queue<Event>>();
  /** Events folded before the lanes were claimed, of the record that comes first in its queue now. */
  const begun = new Map([...holds.values()].flatMap(({ partiallyFolded: within }) => Object.entries(within)));
  const share = Math.max(MIN_HELD, Math.floor(MAX_HELD / Math.max(1, places.length)));
  const shareOfBytes = Math.max(MIN_HELD_BYTES, Math.floor(MAX_HELD_BYTES / Math.max(1, places.length)));

  const whole = { events: 0, bytes: 0 };
  const weigh = (spot: Spot, events: number, bytes: number): void => {
    for (const of of [spot, whole]) {
      of.events += events;
      of.bytes += bytes;
    }
  };

  const queueOf = (name: string, lane: Lane): Queue<Event> => {
    const found = queues.get(name);
    if (found !== undefined) return found;
    const made = { name, lane, waiting: [], loggedAt: holds.get(lane)?.lastTime[name] ?? -1, at: -Infinity, total: 0 };
    queues.set(name, made);
    return made;
  };

  return {
    add({ lane, place, raw, origin, queue: name, number, events }) {
      const spot = spots.get(nameOfPartition(place));
      if (spot === undefined || events.length === 0) return;
      const queue = queueOf(name, lane);
      const bytes = (raw.value?.length ?? 0) + (raw.key?.length ?? 0);
      const all = events.reduce((sum, event) => sum + countOf(event), 0);
      const record: Pending = { spot, offset: raw.offset, number, bytes, events: all, left: 0 };
      const source = nameOfPartition(origin);
      let folded = begun.get(name) ?? 0;
      begun.delete(name);
      if (folded >= all) return;
      for (const event of events) {
        const count = countOf(event);
        folded -= count;
        if (folded >= 0) continue;
        record.left += count;
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
          record,
          loggedAt,
          at,
          rank: rank(origin.topic),
          source,
          count,
          total,
        });
      }
      spot.records.push(record);
      weigh(spot, record.left, bytes);
    },
    pass(place, next) {
      const spot = spots.get(nameOfPartition(place));
      if (spot !== undefined) spot.next = Math.max(spot.next, next);
    },
    first: () => {
      let first = Infinity;
      for (const { waiting } of queues.values()) first = Math.min(first, waiting[0]?.loggedAt ?? Infinity);
      return first;
    },
    has: (lane) => [...spots.values()].some((spot) => spot.lane === lane && spot.records.length > 0),
    isFull(place) {
      const spot = spots.get(nameOfPartition(place));
      if (spot === undefined || (whole.events < MAX_HELD && whole.bytes < MAX_HELD_BYTES)) return false;
      return spot.events >= share || spot.bytes >= shareOfBytes;
    },
    due(until, limit) {
      const all = Array.from(queues.values(), ({ waiting }) => waiting);
      const last = timeOf(all, until, limit);
      const items = all.flatMap((waiting) => waiting.slice(0, countUntil(waiting, last)));
      return { items: items.toSorted(inOrder), until: last };
    },
    take(until, hold) {
      const [heard, within, reached] = [{ ...hold.lastSequence }, { ...hold.partiallyFolded }, { ...hold.lastTime }];
      for (const queue of queues.values()) {
        if (queue.lane !== hold.lane) continue;
        const count = countUntil(queue.waiting, until);
        if (count === 0) continue;
        for (const { record, loggedAt, count: its } of queue.waiting.slice(0, count)) {
          reached[queue.name] = loggedAt;
          record.left -= its;
          weigh(record.spot, -its, record.left === 0 ? -record.bytes : 0);
          if (record.left === 0) {
            heard[queue.name] = record.number;
            delete within[queue.name];
          } else within[queue.name] = record.events - record.left;
        }
        queue.waiting = queue.waiting.slice(count);
      }
      return {
        ...hold,
        cursors: cursorsOf(spots, hold),
        lastSequence: heard,
        partiallyFolded: within,
        lastTime: reached,
      };
    },
  };
};

/** The lane's cursors: the same object where nothing has changed. */
const cursorsOf = (
  spots: ReadonlyMap<string, Spot>,
  { lane, cursors: before }: LaneProgress,
): LaneProgress["cursors"] => {
  const moved: Record<string, number> = {};
  for (const [name, spot] of spots) {
    if (spot.lane !== lane) continue;
    const first = spot.records.findIndex(({ left }) => left > 0);
    spot.records = first === -1 ? [] : spot.records.slice(first);
    const cursor = spot.records[0]?.offset ?? spot.next;
    if (cursor > (before[name] ?? 0)) moved[name] = cursor;
  }
  return Object.keys(moved).length === 0 ? before : { ...before, ...moved };
};

type Timed = readonly Pick<Waiting<unknown>, "loggedAt" | "count" | "total">[];

/** How many are of a time up to `until`. */
const countUntil = (waiting: Timed, until: Millis): number => {
  let [low, high] = [0, waiting.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((waiting[middle]?.loggedAt ?? Infinity) <= until) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** How many events those are, of each key one. */
const eventsUntil = (waiting: Timed, until: Millis): number => {
  const [first, last] = [waiting[0], waiting[countUntil(waiting, until) - 1]];
  return first === undefined || last === undefined ? 0 : last.total - first.total + first.count;
};

/** The least time by which `limit` of all have come; `until`, where fewer come by that. */
const timeOf = (all: readonly Timed[], until: Millis, limit: number): Millis => {
  const countAll = (time: Millis): number => all.reduce((sum, waiting) => sum + eventsUntil(waiting, time), 0);
  let low = Infinity;
  let high = -Infinity;
  for (const waiting of all) {
    low = Math.min(low, waiting[0]?.loggedAt ?? Infinity);
    high = Math.max(high, waiting.at(-1)?.loggedAt ?? -Infinity);
  }
  high = Math.min(high, until);
  if (countAll(high) < limit) return until;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (countAll(middle) >= limit) high = middle;
    else low = middle + 1;
  }
  return high;
};

/** The order of the log (semantics: "Time is the log's"); never another than that of a queue. */
const inOrder = <Event>(a: Waiting<Event>, b: Waiting<Event>): number =>
  a.loggedAt - b.loggedAt ||
  a.at - b.at ||
  a.rank - b.rank ||
  a.record.number - b.record.number ||
  (a.source === b.source ? 0 : a.source < b.source ? -1 : 1);
