import { nameOfPartition, type TopicPartition } from "../../contract/topic-partition.ts";
import type { RawRecord, FetchedRecords, Subscription } from "../../contract/ports.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";

/** Records of one partition that may wait to be taken, and their bytes. A partition with more is not fetched for a while. */
const MAX_WAITING = scaledToHeap(5_000);
const MAX_WAITING_BYTES = scaledToHeap(4 * 1024 * 1024);

/** The records that the consumer has fetched and the engine has not taken: kafkajs pushes, the engine pulls. */
export interface FetchBuffer extends Pick<Subscription, "assigned" | "take" | "arrival"> {
  /** Replaces the assignment, and drops all records. */
  assign(partitions: readonly TopicPartition[]): void;
  /** Notes that no record will come any more: `assigned` throws the error from now on. */
  fail(error: Error): void;
  /** Drops the partition's records, and keeps those that are added from now on. */
  seek(partition: TopicPartition): void;
  /** Adds the next records of a partition; ignored where nobody has sought in it. */
  add(partition: TopicPartition, records: readonly RawRecord[], next: number): void;
}

/** Pauses and resumes the fetching of one partition; other partitions are not affected. */
export interface FetchControl {
  /** Called when the partition has reached its bound. */
  full(partition: TopicPartition): void;
  /** Called when half of the bound is free again. */
  room(partition: TopicPartition): void;
}

interface Waiting {
  readonly partition: TopicPartition;
  readonly records: RawRecord[];
  bytes: number;
  next: number;
}

export const fetchBuffer = (control: FetchControl = { full: () => undefined, room: () => undefined }): FetchBuffer => {
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
      if (!full.has(nameOfPartition(partition))) control.full(partition);
      full.set(nameOfPartition(partition), partition);
    } else if (
      full.has(nameOfPartition(partition)) &&
      records.length <= MAX_WAITING / 2 &&
      bytes <= MAX_WAITING_BYTES / 2
    ) {
      full.delete(nameOfPartition(partition));
      control.room(partition);
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
      const queue = waiting.get(nameOfPartition(partition)) ?? { partition, records: [], bytes: 0, next };
      for (const record of records) queue.records.push(record);
      queue.next = next;
      waiting.set(nameOfPartition(partition), queue);
      queue.bytes += bytesOf(records);
      gauge(partition);
      onArrival();
    },
    take(limit, isWanted = () => true) {
      const wanted = [...waiting.values()].filter(({ partition }) => isWanted(partition));
      return earliest(wanted, limit).map(([queue, count]): FetchedRecords => {
        const records = queue.records.splice(0, count);
        queue.bytes -= bytesOf(records);
        const isAll = queue.records.length === 0;
        if (isAll) waiting.delete(nameOfPartition(queue.partition));
        gauge(queue.partition);
        const last = records.at(-1);
        return { from: queue.partition, records, next: isAll || last === undefined ? queue.next : last.offset + 1 };
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

/** The number of records to take of each queue, least timestamps first across them. A queue without records only moves the position. */
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
