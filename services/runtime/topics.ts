import type { TopicId } from "../core/topics.ts";
import { topicIds, topics } from "../core/topics.ts";
import { schemaOf, subjectOf } from "./codec.ts";
import type { KafkaLog } from "./kafka.ts";
import type { Registry } from "./registry.ts";

/** Bytes of a record on our own topics: a chat record at Kafka's default limit still fits with its place around it. */
const MAX_RECORD = 2 * 1024 * 1024;

/** What `ensureTopics` found or did, a sentence each. */
export interface TopicReport {
  readonly created: readonly string[];
  /** What differs from its declaration and was left as it is. */
  readonly differing: readonly string[];
}

const declaredConfig = (topic: TopicId): Readonly<Record<string, string>> => {
  const { cleanup, retention, owner } = topics[topic];
  return {
    "cleanup.policy": cleanup,
    ...(retention === undefined ? {} : { "retention.ms": String(retention) }),
    ...(owner === "whileaway" ? { "max.message.bytes": String(MAX_RECORD) } : {}),
  };
};

/**
 * Creates the topics that are missing and registers the schemas; compares what is there and changes none of it.
 * @param partitions for topics that are created
 */
export const ensureTopics = async (
  log: KafkaLog,
  registry: Registry,
  prefix: string,
  partitions: number,
  replication: number,
): Promise<TopicReport> => {
  const found = await log.describe();
  const created: string[] = [];
  const differing: string[] = [];
  for (const topic of topicIds) {
    const state = found.get(topic);
    if (state === undefined) {
      await log.create(topic, partitions, replication, declaredConfig(topic));
      created.push(`${log.nameOf(topic)}: ${partitions} partitions, ${topics[topic].cleanup}`);
      continue;
    }
    for (const [name, declared] of Object.entries(declaredConfig(topic)))
      if (topics[topic].owner === "whileaway" || name === "cleanup.policy")
        if (state.config[name] !== undefined && state.config[name] !== declared)
          differing.push(`${log.nameOf(topic)}: ${name} is ${state.config[name]}, declared ${declared}; left as it is`);
  }
  for (const topic of topicIds) await registry.register(subjectOf(topic, prefix), schemaOf(topic));
  return { created, differing };
};
