import type { TopicId } from "./topic.ts";

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: TopicId;
  readonly partition: number;
}

/** `topic/partition`. Identity: cursors are saved under it. */
export const nameOfPartition = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** All partitions of the topics, by the log's own count of each. Throws Transient. */
export const partitionsOf = async (
  log: { readonly partitions: (topic: TopicId) => Promise<number> },
  topics: Iterable<TopicId>,
): Promise<readonly TopicPartition[]> => {
  const counts = await Promise.all(Array.from(topics, async (topic) => [topic, await log.partitions(topic)] as const));
  return counts.flatMap(([topic, count]) =>
    Array.from({ length: count }, (_none, partition) => ({ topic, partition })),
  );
};
