import { setTimeout as delay } from "node:timers/promises";
import type { Place, RawRecord, Slice, Subscription } from "../core/ports.ts";

/** Records that may wait to be taken; who brings more waits. */
const MAX_WAITING = 20_000;

/** What a consumer has brought and the engine not yet taken: the buffer between kafkajs's push and our pull. */
export interface Arrivals extends Pick<Subscription, "assigned" | "take" | "arrival"> {
  assign(places: readonly Place[]): void;
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
  let count = 0;
  let onArrival: () => void = () => undefined;
  let onRoom: () => void = () => undefined;

  const drop = (): void => {
    waiting = new Map();
    count = 0;
    onRoom();
  };

  return {
    assigned() {
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
    seek(place) {
      sought.add(name(place));
      const had = waiting.get(name(place));
      count -= had?.records.length ?? 0;
      waiting.delete(name(place));
    },
    add(place, records, next) {
      if (!sought.has(name(place))) return;
      const had = waiting.get(name(place)) ?? { place, records: [], next };
      for (const record of records) had.records.push(record);
      had.next = next;
      waiting.set(name(place), had);
      count += records.length;
      onArrival();
    },
    full: () => count >= MAX_WAITING,
    async room(wait) {
      const timer = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (onRoom = resolve)),
        delay(wait, undefined, { signal: timer.signal }).catch(() => undefined),
      ]);
      timer.abort();
    },
    take(limit) {
      const slices: Slice[] = [];
      let left = limit;
      const first = ({ records }: Waiting): number => records[0]?.timestamp ?? -Infinity;
      for (const had of [...waiting.values()].toSorted((a, b) => first(a) - first(b))) {
        if (left <= 0) break;
        const records = had.records.splice(0, left);
        left -= records.length;
        count -= records.length;
        const isAll = had.records.length === 0;
        if (isAll) waiting.delete(name(had.place));
        const last = records.at(-1);
        slices.push({ place: had.place, records, next: isAll || last === undefined ? had.next : last.offset + 1 });
      }
      if (slices.length > 0) onRoom();
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
