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

  const within = (slice: FetchedRecords): readonly FetchedRecords[] => {
    const { from: place, records } = slice;
    const end = ends.get(nameOfPartition(place)) ?? Infinity;
    if (slice.next <= end) return [slice];
    const before = records.filter(({ offset }) => offset < end);
    return before.length === 0 && (handed.get(nameOfPartition(place)) ?? 0) >= end
      ? []
      : [{ from: place, records: before, next: end }];
  };
  const note = ({ from: place, records, next }: FetchedRecords): void => {
    const [first] = records;
    const isFirst = !handed.has(nameOfPartition(place)) && declared(place.topic).cleanup === "delete";
    if (isFirst && first !== undefined && first.offset > 0 && chat.includes(place.topic))
      cut.set(place.topic, Math.max(cut.get(place.topic) ?? 0, first.timestamp));
    handed.set(nameOfPartition(place), Math.max(handed.get(nameOfPartition(place)) ?? 0, next));
  };
  const take: (from: Subscription) => Subscription["take"] = (from) => (limit, isWanted) => {
    const slices = from.take(limit, isWanted).flatMap(within);
    slices.forEach(note);
    return slices;
  };

  return {
    log: {
      ...log,
      async offsets(places) {
        const extents = await log.offsets(places);
        return extents.map(({ low, high }, index) => {
          const place = places[index];
          return { low, high: Math.min(high, place === undefined ? high : (ends.get(nameOfPartition(place)) ?? high)) };
        });
      },
      async subscribe(group, of, lanes) {
        const member = await log.subscribe(group, of, lanes);
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
