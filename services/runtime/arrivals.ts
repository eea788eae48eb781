import { setTimeout as delay } from "node:timers/promises";
import type { Place, RawRecord, Slice, Subscription } from "../core/ports.ts";

/** Records that may wait to be taken, and their bytes; who brings more waits. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** What a consumer has brought and the engine not yet taken: the buffer between kafkajs's push and our pull. */
export interface Arrivals extends Pick<Subscription, "assigned" | "take" | "arrival"> {
  assign(places: readonly Place[]): void;
  /** Nothing will come any more: whoever asks what is assigned is told why. */
  fail(error: Error): void;
  /** From here on, what is added of the place counts. */
  seek(place: Place): void;
  add(place: Place, records: readonly RawRecord[], next: number): void;
  full(): boolean;
  /** Resolves when there is room again, or after `wait` milliseconds. */
  room(wait: number): Promise<void>;
}

interface Waiting {
  readonly place: Place;
  readonly records: RawRecord[];
  next: number;
}

const name = ({ topic, partition }: Place): string => `${topic}/${partition}`;

export const arrivals = (): Arrivals => {
  let places: readonly Place[] = [];
  let waiting = new Map<string, Waiting>();
  const sought = new Set<string>();
  let isChanged = false;
  let failure: Error | null = null;
  let count = 0;
  let bytes = 0;
  let onArrival: () => void = () => undefined;
  // Every partition's handler may wait for room at once: one that isn't told holds up the next fetch of all.
  let onRoom = new Set<() => void>();

  const tellRoom = (): void => {
    const told = onRoom;
    onRoom = new Set();
    for (const tell of told) tell();
  };
  const drop = (): void => {
    waiting = new Map();
    count = 0;
    bytes = 0;
    tellRoom();
  };
  const forget = (records: readonly RawRecord[]): void => {
    count -= records.length;
    bytes -= bytesOf(records);
  };

  return {
    assigned() {
      if (failure !== null) throw failure;
      isChanged = false;
      return places;
    },
    assign(now) {
      places = now;
      sought.clear();
      isChanged = true;
      drop();
      onArrival();
    },
    fail(error) {
      failure = error;
      isChanged = true;
      onArrival();
    },
    seek(place) {
      sought.add(name(place));
      const had = waiting.get(name(place));
      forget(had?.records ?? []);
      waiting.delete(name(place));
      tellRoom();
    },
    add(place, records, next) {
      if (!sought.has(name(place))) return;
      const had = waiting.get(name(place)) ?? { place, records: [], next };
      for (const record of records) had.records.push(record);
      had.next = next;
      waiting.set(name(place), had);
      count += records.length;
      bytes += bytesOf(records);
      onArrival();
    },
    full: () => count >= MAX_WAITING || bytes >= MAX_WAITING_BYTES,
    async room(wait) {
      const timer = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => onRoom.add(resolve)),
        delay(wait, undefined, { signal: timer.signal }).catch(() => undefined),
      ]);
      timer.abort();
    },
    take(limit) {
      const slices = earliest([...waiting.values()], limit).map(([had, much]): Slice => {
        const records = had.records.splice(0, much);
        forget(records);
        const isAll = had.records.length === 0;
        if (isAll) waiting.delete(name(had.place));
        const last = records.at(-1);
        return { place: had.place, records, next: isAll || last === undefined ? had.next : last.offset + 1 };
      });
      if (slices.length > 0) tellRoom();
      return slices;
    },
    arrival: (signal) =>
      new Promise((resolve) => {
        if (waiting.size > 0 || isChanged || signal.aborted) return resolve();
        onArrival = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
};

const bytesOf = (records: readonly RawRecord[]): number =>
  records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);

/** How much to take of each, least timestamps first across them; all of those that only move the position. */
const earliest = (all: readonly Waiting[], limit: number): readonly (readonly [Waiting, number])[] => {
  const taken = new Map<Waiting, number>(all.filter(({ records }) => records.length === 0).map((one) => [one, 0]));
  const head = (one: Waiting): number => one.records[taken.get(one) ?? 0]?.timestamp ?? Infinity;
  for (let left = limit; left > 0;) {
    let first: Waiting | undefined;
    let second: Waiting | undefined;
    for (const one of all) {
      if ((taken.get(one) ?? 0) >= one.records.length) continue;
      if (first === undefined || head(one) < head(first)) [first, second] = [one, first];
      else if (second === undefined || head(one) < head(second)) second = one;
    }
    if (first === undefined) break;
    const until = second === undefined ? Infinity : head(second);
    const from = taken.get(first) ?? 0;
    let to = from + 1;
    while (to - from < left && to < first.records.length && (first.records[to]?.timestamp ?? 0) <= until) to++;
    left -= to - from;
    taken.set(first, to);
  }
  return [...taken];
};
