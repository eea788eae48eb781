import type { TopicId } from "../../platform/contract/topic.ts";
import { nameOfPartition, partitionsOf } from "../../platform/contract/topic-partition.ts";
import type { Log, FetchedRecords, Subscription } from "../../platform/contract/ports.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { topicIds, topics, declared } from "../../domain/topics.ts";

/** Topics that the chat writes. */
const chat: readonly TopicId[] = topicIds.filter((topic) => topics[topic].owner === "external");

/** A log whose topics of the chat can be stopped. */
export interface StillLog {
  readonly log: Log;
  /** Ends the chat's topics, for readers of this log, at their present ends, or where they have been read to. */
  stop(): Promise<void>;
  /** Times of the first records of the chat's topics whose beginning retention has deleted. */
  cut(): ReadonlyMap<TopicId, Millis>;
}

export const stillLog = (log: Log): StillLog => {
  const handed = new Map<string, number>();
  const cut = new Map<TopicId, Millis>();
  let ends: ReadonlyMap<string, number> = new Map();

  const within = (fetched: FetchedRecords): readonly FetchedRecords[] => {
    const { from: partition, records } = fetched;
    const end = ends.get(nameOfPartition(partition)) ?? Infinity;
    if (fetched.next <= end) return [fetched];
    const before = records.filter(({ offset }) => offset < end);
    return before.length === 0 && (handed.get(nameOfPartition(partition)) ?? 0) >= end
      ? []
      : [{ from: partition, records: before, next: end }];
  };
  const note = ({ from: partition, records, next }: FetchedRecords): void => {
    const [first] = records;
    const isFirst = !handed.has(nameOfPartition(partition)) && declared(partition.topic).cleanup === "delete";
    if (isFirst && first !== undefined && first.offset > 0 && chat.includes(partition.topic))
      cut.set(partition.topic, Math.max(cut.get(partition.topic) ?? 0, first.timestamp));
    handed.set(nameOfPartition(partition), Math.max(handed.get(nameOfPartition(partition)) ?? 0, next));
  };
  const take: (from: Subscription) => Subscription["take"] = (from) => (limit, isWanted) => {
    const fetched = from.take(limit, isWanted).flatMap(within);
    fetched.forEach(note);
    return fetched;
  };

  return {
    log: {
      ...log,
      async offsets(partitions) {
        const offsets = await log.offsets(partitions);
        return offsets.map(({ low, high }, index) => {
          const partition = partitions[index];
          return {
            low,
            high: Math.min(high, partition === undefined ? high : (ends.get(nameOfPartition(partition)) ?? high)),
          };
        });
      },
      async subscribe(group, inputs, lanes) {
        const member = await log.subscribe(group, inputs, lanes);
        return { ...member, take: take(member), [Symbol.asyncDispose]: () => member[Symbol.asyncDispose]() };
      },
    },
    async stop() {
      ends = await endsOf(log, handed);
    },
    cut: () => cut,
  };
};

/** Reads the ends of the chat's partitions: the log's, or a later offset that was handed on already. */
const endsOf = async (log: Log, handed: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> => {
  const partitions = await partitionsOf(log, chat);
  const offsets = await log.offsets(partitions);
  return new Map(
    partitions.map((partition, index) => {
      const name = nameOfPartition(partition);
      return [name, Math.max(offsets[index]?.high ?? 0, handed.get(name) ?? 0)];
    }),
  );
};
