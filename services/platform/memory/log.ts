import type { TopicId } from "../contract/topic.ts";
import { laneOf } from "../contract/lane.ts";
import type { Clock, Log, Outgoing, RawRecord, FetchedRecords, Subscription } from "../contract/ports.ts";
import { nameOfPartition, type TopicPartition } from "../contract/topic-partition.ts";
import { scanOf } from "../runtime/log-reader.ts";

/** A log in memory whose records can be listed. */
export interface MemoryLog extends Log {
  /** All records of a topic, by partition and offset. */
  records(topic: TopicId): readonly RawRecord[];
}

/** Number of partitions of every topic, or of each. */
export type Partitions = number | ((topic: TopicId) => number);
const PARTITIONS = 4;

interface Member {
  readonly group: string;
  readonly topics: readonly TopicId[];
  readonly lanes: number;
  assigned: readonly TopicPartition[];
  readonly positions: Map<string, number>;
  wake: () => void;
}

const encoder = new TextEncoder();

const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === "string" ? encoder.encode(text) : text);

/**
 * Makes a log in memory: a second implementation of the port (contract/ports.ts), under the same contract suite.
 * @param clock gives records their timestamps
 */
export const memoryLog = (clock: Clock, partitions: Partitions = PARTITIONS): MemoryLog => {
  const count = (topic: TopicId): number => (typeof partitions === "number" ? partitions : partitions(topic));
  const kept = new Map<string, RawRecord[]>();
  const members = new Set<Member>();

  const recordsOf = (topicPartition: TopicPartition): RawRecord[] => {
    const found = kept.get(nameOfPartition(topicPartition)) ?? [];
    kept.set(nameOfPartition(topicPartition), found);
    return found;
  };

  const append = ({ topic, partition, key, value, headers = {}, timestamp }: Outgoing): void => {
    const topicPartition = { topic, partition: partition ?? laneOf(key ?? "", count(topic)) };
    const records = recordsOf(topicPartition);
    records.push({
      ...topicPartition,
      offset: records.length,
      timestamp: timestamp ?? clock.now(),
      key: key === null ? null : encoder.encode(key),
      value,
      headers: Object.fromEntries(Object.entries(headers).map(([header, text]) => [header, bytesOf(text)])),
    });
  };

  const rebalance = (group: string): void => {
    const ofGroup = [...members].filter((member) => member.group === group);
    ofGroup.forEach((member, index) => {
      member.positions.clear();
      member.assigned = member.topics.flatMap((topic) =>
        Array.from({ length: count(topic) }, (_, partition) => ({ topic, partition })).filter(
          ({ partition }) => (partition % member.lanes) % ofGroup.length === index,
        ),
      );
      member.wake();
    });
  };

  const log: MemoryLog = {
    publish(records) {
      for (const record of records) append(record);
      for (const member of members) member.wake();
      return Promise.resolve();
    },
    partitions: (topic) => Promise.resolve(count(topic)),
    offsets: (wanted) =>
      Promise.resolve(wanted.map((topicPartition) => ({ low: 0, high: recordsOf(topicPartition).length }))),
    subscribe(group, topics, lanes) {
      const member: Member = { group, topics, lanes, assigned: [], positions: new Map(), wake: () => undefined };
      members.add(member);
      rebalance(group);
      return Promise.resolve(
        subscription(member, recordsOf, () => {
          if (members.delete(member)) rebalance(group);
        }),
      );
    },
    scan: (topics) => scanOf(log, topics),
    records: (topic) => Array.from({ length: count(topic) }, (_, partition) => recordsOf({ topic, partition })).flat(),
  };
  return log;
};

const subscription = (
  member: Member,
  recordsOf: (topicPartition: TopicPartition) => RawRecord[],
  leave: () => void,
): Subscription => {
  const ready = (): readonly TopicPartition[] =>
    member.assigned.filter(
      (topicPartition) =>
        (member.positions.get(nameOfPartition(topicPartition)) ?? Infinity) < recordsOf(topicPartition).length,
    );
  return {
    assigned: () => member.assigned,
    seek: (topicPartition, offset) => void member.positions.set(nameOfPartition(topicPartition), offset ?? 0),
    take(limit, isWanted = () => true) {
      // Least timestamps first, but the records of a partition keep their order.
      const waiting = ready()
        .filter(isWanted)
        .flatMap((topicPartition) => {
          let latest = -Infinity;
          return recordsOf(topicPartition)
            .slice(member.positions.get(nameOfPartition(topicPartition)))
            .map((record) => ({ topicPartition, record, at: (latest = Math.max(latest, record.timestamp)) }));
        });
      const taken = waiting.toSorted((a, b) => a.at - b.at).slice(0, limit);
      return Array.from(
        Map.groupBy(taken, ({ topicPartition }) => topicPartition),
        ([topicPartition, some]): FetchedRecords => {
          const next = (some.at(-1)?.record.offset ?? 0) + 1;
          member.positions.set(nameOfPartition(topicPartition), next);
          return { from: topicPartition, records: some.map(({ record }) => record), next };
        },
      );
    },
    arrival: (signal, isWanted = () => true) =>
      new Promise((resolve) => {
        if (ready().some(isWanted) || signal.aborted) return resolve();
        member.wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
    commitHint: () => Promise.resolve(),
    [Symbol.asyncDispose]() {
      leave();
      return Promise.resolve();
    },
  };
};
