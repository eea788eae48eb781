import { laneOf } from "../contract/lane.ts";
import type {
  Clock,
  Log,
  Outgoing,
  TopicPartition,
  RawRecord,
  FetchedRecords,
  Subscription,
} from "../contract/ports.ts";
import { type TopicId } from "../../domain/topics.ts";
import { scanOf } from "../runtime/log-reader.ts";

/** A log in memory that anyone may look into. */
export interface MemoryLog extends Log {
  /** All records of a topic, by partition and offset. */
  records(topic: TopicId): readonly RawRecord[];
}

/** How many partitions topics have. */
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

const bytesOf = (said: string | Uint8Array): Uint8Array => (typeof said === "string" ? encoder.encode(said) : said);

const name = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * A second implementation of the log (core/ports.ts): kept in memory, timestamps by the given clock.
 * @param partitions of each topic, or of all
 */
export const memoryLog = (clock: Clock, partitions: Partitions = PARTITIONS): MemoryLog => {
  const count = (topic: TopicId): number => (typeof partitions === "number" ? partitions : partitions(topic));
  const kept = new Map<string, RawRecord[]>();
  const members = new Set<Member>();

  const held = (place: TopicPartition): RawRecord[] => {
    const found = kept.get(name(place)) ?? [];
    kept.set(name(place), found);
    return found;
  };

  const append = ({ topic, partition, key, value, headers = {}, timestamp }: Outgoing): void => {
    const place = { topic, partition: partition ?? laneOf(key ?? "", count(topic)) };
    const records = held(place);
    records.push({
      ...place,
      offset: records.length,
      timestamp: timestamp ?? clock.now(),
      key: key === null ? null : encoder.encode(key),
      value,
      headers: Object.fromEntries(Object.entries(headers).map(([header, said]) => [header, bytesOf(said)])),
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
    offsets: (places) => Promise.resolve(places.map((place) => ({ low: 0, high: held(place).length }))),
    subscribe(group, topics, lanes) {
      const member: Member = { group, topics, lanes, assigned: [], positions: new Map(), wake: () => undefined };
      members.add(member);
      rebalance(group);
      return Promise.resolve(
        subscription(member, held, () => {
          if (members.delete(member)) rebalance(group);
        }),
      );
    },
    scan: (topics) => scanOf(log, topics),
    records: (topic) => Array.from({ length: count(topic) }, (_, partition) => held({ topic, partition })).flat(),
  };
  return log;
};

const subscription = (
  member: Member,
  held: (place: TopicPartition) => RawRecord[],
  leave: () => void,
): Subscription => {
  const ready = (): readonly TopicPartition[] =>
    member.assigned.filter((place) => (member.positions.get(name(place)) ?? Infinity) < held(place).length);
  return {
    assigned: () => member.assigned,
    seek: (place, offset) => void member.positions.set(name(place), offset ?? 0),
    take(limit, isWanted = () => true) {
      // Least timestamps first, but what stands behind another on a partition stays behind it.
      const waiting = ready()
        .filter(isWanted)
        .flatMap((place) => {
          let latest = -Infinity;
          return held(place)
            .slice(member.positions.get(name(place)))
            .map((record) => ({ place, record, at: (latest = Math.max(latest, record.timestamp)) }));
        });
      const taken = waiting.toSorted((a, b) => a.at - b.at).slice(0, limit);
      return Array.from(
        Map.groupBy(taken, ({ place }) => place),
        ([place, some]): FetchedRecords => {
          const next = (some.at(-1)?.record.offset ?? 0) + 1;
          member.positions.set(name(place), next);
          return { place, records: some.map(({ record }) => record), next };
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
