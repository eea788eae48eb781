import { setTimeout as delay } from "node:timers/promises";
import { Transient } from "../contract/failure.ts";
import { MAX_RECORD, type Product, type Topic, type TopicId } from "../contract/topic.ts";
import { schemaOf, subjectOf } from "../adapters/registry/codec.ts";
import type { KafkaLog, TopicState } from "../adapters/kafka/client.ts";
import type { Registry } from "../adapters/registry/registry.ts";

/** Milliseconds within which created topics must exist, and between two looks. */
const CREATION_TIMEOUT = 30_000;
const CREATION_LOOK = 100;

/** Compatibility level of subjects: a program with the next version of a schema reads the records of this one. */
const COMPATIBILITY = "BACKWARD";

/** Findings and actions of `ensureTopics`, one line each. */
export interface TopicReport {
  readonly created: readonly string[];
  /** Settings that differ from their declaration and were left as they are. */
  readonly differing: readonly string[];
}

/** The broker's settings for a topic as it is declared. */
export const declaredConfig = ({
  cleanup,
  retention,
  compactionLag,
  owner,
}: Topic): Readonly<Record<string, string>> => ({
  "cleanup.policy": cleanup,
  ...(retention === undefined ? {} : { "retention.ms": String(retention) }),
  ...(compactionLag === undefined ? {} : { "min.compaction.lag.ms": String(compactionLag) }),
  ...(owner === "own" ? { "max.message.bytes": String(MAX_RECORD) } : {}),
});

/**
 * Creates the topics that are missing and registers the schemas. Existing topics are compared and left as they are.
 * @param partitions partitions of topics that are created
 */
export const ensureTopics = async (
  product: Product,
  log: KafkaLog,
  registry: Registry,
  prefix: string,
  partitions: number,
  replication: number,
): Promise<TopicReport> => {
  const found = await log.describe();
  const declared = Object.entries(product.topics);
  const missing = declared.filter(([topic]) => !found.has(topic));
  if (missing.length > 0)
    await log.create(
      missing.map(([topic, declaration]) => ({ topic, partitions, replication, config: declaredConfig(declaration) })),
    );
  await untilThere(
    log,
    missing.map(([topic]) => topic),
  );
  const levels: string[] = [];
  for (const [, topic] of declared) {
    const subject = subjectOf(topic, prefix);
    const { compatibility } = await registry.register(subject, schemaOf(topic));
    if (compatibility !== COMPATIBILITY)
      levels.push(`${subject}: compatibility is ${compatibility}, declared ${COMPATIBILITY}; left as it is`);
  }
  return {
    created: missing.map(([topic, { cleanup }]) => `${log.nameOf(topic)}: ${partitions} partitions, ${cleanup}`),
    differing: [
      ...declared.flatMap(([topic, declaration]) => differences(log.nameOf(topic), declaration, found.get(topic))),
      ...unequal(product, log, found, partitions),
      ...levels,
    ],
  };
};

const differences = (name: string, topic: Topic, state: TopicState | undefined): readonly string[] =>
  Object.entries(declaredConfig(topic)).flatMap(([setting, declared]) => {
    const is = state?.config[setting];
    const isOurs = topic.owner === "own" || setting === "cleanup.policy";
    return is === undefined || is === declared || !isOurs
      ? []
      : [`${name}: ${setting} is ${is}, declared ${declared}; left as it is`];
  });

/** Reports external topics with another number of partitions than ours. They work, but most of their records are strays. */
const unequal = (
  { topics }: Product,
  log: KafkaLog,
  found: ReadonlyMap<TopicId, TopicState>,
  partitions: number,
): readonly string[] => {
  const own = Object.entries(topics).find(([, { owner }]) => owner === "own");
  const lanes = (own === undefined ? undefined : found.get(own[0])?.partitions) ?? partitions;
  return Object.entries(topics).flatMap(([topic, { owner }]) => {
    const count = found.get(topic)?.partitions ?? lanes;
    return owner === "external" && count !== lanes
      ? [
          `${log.nameOf(topic)}: ${count} partitions, our own topics have ${lanes}; most of its records take a hop more, behind those that don't`,
        ]
      : [];
  });
};

/** Waits until the brokers know the topics and answer for their partitions; their creation is reported earlier. Throws Transient. */
export const untilThere = async (
  log: Pick<KafkaLog, "describe" | "offsets" | "nameOf">,
  wanted: readonly TopicId[],
): Promise<void> => {
  const until = Date.now() + CREATION_TIMEOUT;
  for (;;) {
    const missing = await missingOf(log, wanted).catch((error: unknown) => {
      if (!(error instanceof Transient) || Date.now() > until) throw error;
      return wanted;
    });
    if (missing.length === 0) return;
    if (Date.now() > until)
      throw new Transient(
        `Kafka: ${missing.map(log.nameOf).join(", ")} do not exist ${CREATION_TIMEOUT / 1_000} s after their creation`,
      );
    await delay(CREATION_LOOK);
  }
};

const missingOf = async (
  log: Pick<KafkaLog, "describe" | "offsets">,
  wanted: readonly TopicId[],
): Promise<readonly TopicId[]> => {
  const found = await log.describe();
  const missing = wanted.filter((topic) => !found.has(topic));
  if (missing.length > 0) return missing;
  await log.offsets(
    wanted.flatMap((topic) =>
      Array.from({ length: found.get(topic)?.partitions ?? 0 }, (_none, partition) => ({ topic, partition })),
    ),
  );
  return missing;
};
