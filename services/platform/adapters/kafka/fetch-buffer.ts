import type { TopicPartition, RawRecord, FetchedRecords, Subscription } from "../../contract/ports.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";

/** Records of one place that may wait to be taken, and their bytes: of who brings more, no more is fetched for a while. */
const MAX_WAITING = scaledToHeap(5_000);
const MAX_WAITING_BYTES = scaledToHeap(4 * 1024 * 1024);

/** What a consumer has brought and the engine not yet taken: the buffer between kafkajs's push and our pull. */
export interface Arrivals extends Pick<Subscription, "assigned" | "take" | "arrival"> {
  assign(places: readonly TopicPartition[]): void;
  /** Nothing will come any more: whoever asks what is assigned is told why. */
  fail(error: Error): void;
  /** From here on, what is added of the place counts. */
  seek(place: TopicPartition): void;
  add(place: TopicPartition, records: readonly RawRecord[], next: number): void;
}

/** Told when a place has come to its bound, and when half of that is gone again: other places have nothing to do with it. */
export interface Tap {
  full(place: TopicPartition): void;
  room(place: TopicPartition): void;
}

interface Waiting {
  readonly place: TopicPartition;
  readonly records: RawRecord[];
  bytes: number;
  next: number;
}

const name = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

export const arrivals = (tap: Tap = { full: () => undefined, room: () => undefined }): Arrivals => {
  let places: readonly TopicPartition[] = [];
  let waiting = new Map<string, Waiting>();
  const sought = new Set<string>();
  let isChanged = false;
  let failure: Error | null = null;
  let onArrival: () => void = () => undefined;
  const full = new Map<string, TopicPartition>();

  const gauge = (place: TopicPartition): void => {
    const { records = [], bytes = 0 } = waiting.get(name(place)) ?? {};
    if (records.length >= MAX_WAITING || bytes >= MAX_WAITING_BYTES) {
      if (!full.has(name(place))) tap.full(place);
      full.set(name(place), place);
    } else if (full.has(name(place)) && records.length <= MAX_WAITING / 2 && bytes <= MAX_WAITING_BYTES / 2) {
      full.delete(name(place));
      tap.room(place);
    }
  };
  const drop = (): void => {
    waiting = new Map();
    for (const place of full.values()) gauge(place);
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
      waiting.delete(name(place));
      gauge(place);
    },
    add(place, records, next) {
      if (!sought.has(name(place))) return;
      const had = waiting.get(name(place)) ?? { place, records: [], bytes: 0, next };
      for (const record of records) had.records.push(record);
      had.next = next;
      waiting.set(name(place), had);
      had.bytes += bytesOf(records);
      gauge(place);
      onArrival();
    },
    take(limit, isWanted = () => true) {
      const wanted = [...waiting.values()].filter(({ place }) => isWanted(place));
      return earliest(wanted, limit).map(([had, much]): FetchedRecords => {
        const records = had.records.splice(0, much);
        had.bytes -= bytesOf(records);
        const isAll = had.records.length === 0;
        if (isAll) waiting.delete(name(had.place));
        gauge(had.place);
        const last = records.at(-1);
        return { place: had.place, records, next: isAll || last === undefined ? had.next : last.offset + 1 };
      });
    },
    arrival: (signal, isWanted = () => true) =>
      new Promise((resolve) => {
        if ([...waiting.values()].some(({ place }) => isWanted(place)) || isChanged || signal.aborted) return resolve();
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
