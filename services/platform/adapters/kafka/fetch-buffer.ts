import { nameOfPartition, type TopicPartition } from "../../contract/topic-partition.ts";
import type { RawRecord, FetchedRecords, Subscription } from "../../contract/ports.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";

/** Records of one partition that may wait to be taken, and their bytes: of who brings more, no more is fetched for a while. */
const MAX_WAITING = scaledToHeap(5_000);
const MAX_WAITING_BYTES = scaledToHeap(4 * 1024 * 1024);

/** What a consumer has brought and the engine not yet taken: the buffer between kafkajs's push and our pull. */
export interface Arrivals extends Pick<Subscription, "assigned" | "take" | "arrival"> {
  assign(partitions: readonly TopicPartition[]): void;
  /** Nothing will come any more: whoever asks what is assigned is told why. */
  fail(error: Error): void;
  /** From here on, what is added of the partition counts. */
  seek(partition: TopicPartition): void;
  add(partition: TopicPartition, records: readonly RawRecord[], next: number): void;
}

/** Told when a partition has come to its bound, and when half of that is gone again: other partitions have nothing to do with it. */
export interface Tap {
  full(partition: TopicPartition): void;
  room(partition: TopicPartition): void;
}

interface Waiting {
  readonly partition: TopicPartition;
  readonly records: RawRecord[];
  bytes: number;
  next: number;
}

export const arrivals = (tap: Tap = { full: () => undefined, room: () => undefined }): Arrivals => {
  let partitions: readonly TopicPartition[] = [];
  let waiting = new Map<string, Waiting>();
  const sought = new Set<string>();
  let isChanged = false;
  let failure: Error | null = null;
  let onArrival: () => void = () => undefined;
  const full = new Map<string, TopicPartition>();

  const gauge = (partition: TopicPartition): void => {
    const { records = [], bytes = 0 } = waiting.get(nameOfPartition(partition)) ?? {};
    if (records.length >= MAX_WAITING || bytes >= MAX_WAITING_BYTES) {
      if (!full.has(nameOfPartition(partition))) tap.full(partition);
      full.set(nameOfPartition(partition), partition);
    } else if (
      full.has(nameOfPartition(partition)) &&
      records.length <= MAX_WAITING / 2 &&
      bytes <= MAX_WAITING_BYTES / 2
    ) {
      full.delete(nameOfPartition(partition));
      tap.room(partition);
    }
  };
  const drop = (): void => {
    waiting = new Map();
    for (const partition of full.values()) gauge(partition);
  };

  return {
    assigned() {
      if (failure !== null) throw failure;
      isChanged = false;
      return partitions;
    },
    assign(now) {
      partitions = now;
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
    seek(partition) {
      sought.add(nameOfPartition(partition));
      waiting.delete(nameOfPartition(partition));
      gauge(partition);
    },
    add(partition, records, next) {
      if (!sought.has(nameOfPartition(partition))) return;
      const had = waiting.get(nameOfPartition(partition)) ?? { partition, records: [], bytes: 0, next };
      for (const record of records) had.records.push(record);
      had.next = next;
      waiting.set(nameOfPartition(partition), had);
      had.bytes += bytesOf(records);
      gauge(partition);
      onArrival();
    },
    take(limit, isWanted = () => true) {
      const wanted = [...waiting.values()].filter(({ partition }) => isWanted(partition));
      return earliest(wanted, limit).map(([had, much]): FetchedRecords => {
        const records = had.records.splice(0, much);
        had.bytes -= bytesOf(records);
        const isAll = had.records.length === 0;
        if (isAll) waiting.delete(nameOfPartition(had.partition));
        gauge(had.partition);
        const last = records.at(-1);
        return { from: had.partition, records, next: isAll || last === undefined ? had.next : last.offset + 1 };
      });
    },
    arrival: (signal, isWanted = () => true) =>
      new Promise((resolve) => {
        if ([...waiting.values()].some(({ partition }) => isWanted(partition)) || isChanged || signal.aborted)
          return resolve();
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
