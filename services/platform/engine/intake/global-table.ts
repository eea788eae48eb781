import { randomUUID } from "node:crypto";
import { isPoisonous, messageOf } from "../../contract/failure.ts";
import type { LogRecord } from "../../contract/log-record.ts";
import type { RawRecord } from "../../contract/ports.ts";
import type { GlobalTable } from "../../contract/processor.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, partitionsOf, type TopicPartition } from "../../contract/topic-partition.ts";
import { announce } from "../../runtime/facts.ts";
import { SKEW } from "../../runtime/machine-clock.ts";
import type { Watermark } from "../time/watermark.ts";
import type { World } from "../world.ts";
import { decodeGlobal, prepare } from "./decode.ts";

/** Reads the topics of a processor's global table from the first record kept, and goes on reading them. */
export interface GlobalTableReader<Value> extends AsyncDisposable {
  readonly partitions: readonly TopicPartition[];
  /** Applies the records that have arrived; false where there were none. Throws Transient. */
  step(): Promise<boolean>;
  /** Tells whether every record is read that its topics had at the first call. Throws Transient. */
  isWhole(): Promise<boolean>;
  /** The value by now; it says itself from when on each part of it holds. */
  value(): Value;
  /** Tells the watermark how far the topics are read. */
  advance(watermark: Watermark): void;
  /**
   * The cursors advanced to where the topics are read, and the time of the first record after the given ones (Infinity
   * where there is none); null where nothing was read since.
   */
  changesSince(
    cursors: Readonly<Record<string, number>>,
  ): { readonly cursors: Record<string, number>; readonly since: Millis } | null;
  arrival(signal: AbortSignal): Promise<void>;
}

interface Applied {
  readonly raw: RawRecord;
  readonly record: LogRecord;
}

/** Records applied in one step. */
const MAX_APPLIED = 1_000;

/** Subscribes to the table's topics, by a group of its own: every process reads all of them. Throws Transient, Fatal. */
export const openGlobalTable = async <Value>(
  processor: string,
  table: GlobalTable<Value>,
  world: Pick<World, "log" | "codec" | "clock" | "product">,
): Promise<GlobalTableReader<Value>> => {
  const { log, clock } = world;
  const partitions = await partitionsOf(log, table.topics);
  const subscription = await log.subscribe(`${processor}.lore.${randomUUID()}`, table.topics, 1);
  const read = new Map(
    partitions.map((partition) => [nameOfPartition(partition), { next: null as number | null, latest: -1 }]),
  );
  const records = applied(processor, table);
  let assigned: readonly TopicPartition[] = [];
  /** Partitions that are still to be read up to an offset. */
  let ahead: readonly (readonly [partition: string, end: number])[] | null = null;

  return {
    partitions,
    async isWhole() {
      ahead ??= (await log.offsets(partitions)).flatMap(({ low, high }, index) => {
        const partition = partitions[index];
        return low === high || partition === undefined ? [] : [[nameOfPartition(partition), high] as const];
      });
      ahead = ahead.filter(([partition, end]) => (read.get(partition)?.next ?? 0) < end);
      return ahead.length === 0;
    },
    value: records.value,
    async step() {
      const now = subscription.assigned();
      if (now !== assigned) {
        assigned = now;
        for (const partition of now) subscription.seek(partition, read.get(nameOfPartition(partition))?.next ?? null);
      }
      const fetched = subscription.take(MAX_APPLIED);
      await prepare(
        fetched.flatMap((some) => some.records),
        world,
      );
      const fresh: Applied[] = [];
      for (const { from, records: raws, next } of fetched) {
        const at = read.get(nameOfPartition(from));
        if (at === undefined) continue;
        for (const raw of raws) {
          if (raw.offset < (at.next ?? 0)) continue;
          if (raw.timestamp <= clock.now() + SKEW) at.latest = Math.max(at.latest, raw.timestamp); // else it is wrong
          fresh.push(...decoded(processor, raw, world));
        }
        at.next = Math.max(at.next ?? 0, next);
      }
      records.add(fresh);
      return fetched.length > 0;
    },
    advance(watermark) {
      for (const partition of partitions) {
        const at = read.get(nameOfPartition(partition));
        if (at !== undefined && at.next !== null) watermark.advance(partition, at.next, at.latest);
      }
    },
    changesSince(cursors) {
      const moved: Record<string, number> = {};
      for (const [name, { next }] of read) if (next !== null && next > (cursors[name] ?? 0)) moved[name] = next;
      if (Object.keys(moved).length === 0) return null;
      return { cursors: moved, since: records.firstSince(cursors) };
    },
    arrival: (signal) => subscription.arrival(signal),
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
};

/** All records applied so far, and the value that they come to. */
const applied = <Value>(processor: string, table: GlobalTable<Value>) => {
  let all: readonly Applied[] = [];
  let value = table.initial;
  const apply = (before: Value, { raw, record }: Applied): Value => {
    try {
      return table.apply(before, record);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      complain(processor, raw, error);
      return before;
    }
  };
  return {
    value: (): Value => value,
    /** Applies records; where one comes before those applied, all are applied anew. */
    add(more: readonly Applied[]): void {
      const sorted = more.toSorted(inOrder);
      const [first, last] = [sorted[0], all.at(-1)];
      if (first === undefined) return;
      const isInOrder = last === undefined || inOrder(last, first) <= 0;
      all = isInOrder ? [...all, ...sorted] : [...all, ...sorted].toSorted(inOrder);
      value = isInOrder ? sorted.reduce(apply, value) : all.reduce(apply, table.initial);
    },
    /** The least time of the records at or after the cursors. */
    firstSince(cursors: Readonly<Record<string, number>>): Millis {
      const missed = all.filter(({ raw }) => raw.offset >= (cursors[nameOfPartition(raw)] ?? 0));
      return Math.min(...missed.map(({ raw }) => raw.timestamp));
    },
  };
};

const decoded = (processor: string, raw: RawRecord, world: Pick<World, "codec" | "product">): readonly Applied[] => {
  try {
    return [{ raw, record: decodeGlobal(raw, world) }];
  } catch (error) {
    if (!isPoisonous(error)) throw error;
    complain(processor, raw, error);
    return [];
  }
};

/** Announces a bad record. No letter is written: it is met again at every start, and only an operator can mend it. */
const complain = (processor: string, { topic, partition, offset }: RawRecord, error: unknown): void =>
  announce("deadLetter", { processor, topic, partition, offset, reason: messageOf(error) });

const inOrder = (a: Applied, b: Applied): number =>
  a.raw.timestamp - b.raw.timestamp || a.record.at - b.record.at || a.raw.offset - b.raw.offset;
