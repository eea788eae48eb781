import kafkajs, { type Admin, type ITopicMetadata, type Message } from "kafkajs";
import { declarationOf, type Product, type TopicId } from "../../contract/topic.ts";
import { ownClock } from "../../runtime/machine-clock.ts";
import { Fatal, Transient } from "../../contract/failure.ts";
import { laneOf } from "../../contract/lane.ts";
import type { Clock, OffsetRange, Outgoing } from "../../contract/ports.ts";
import { asBuffer } from "../../runtime/buffers.ts";
import { headersOf, type KafkaLog, type KafkaSettings, restartable, RETRY, silenceNegativeTimeouts } from "./client.ts";
import { subscribe } from "./consumer.ts";
import { openSocket } from "./socket.ts";
import { lz4Codec, snappyCodec, zstdCodec } from "./compression.ts";
import { type Answered, type Placed, produceRequests, unanswered } from "./produce-requests.ts";
import { scanOf } from "../../runtime/log-reader.ts";

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = snappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = lz4Codec;
CompressionCodecs[CompressionTypes.ZSTD] = zstdCodec;

/** Milliseconds for an answer, and for a connection. */
const REQUEST_TIMEOUT = 30_000;
const CONNECTION_TIMEOUT = 5_000;

/** Opens the log in Kafka; connects at the first use. @param clock gives records their timestamps */
export const openKafka = (product: Product, settings: KafkaSettings, clock: Clock = ownClock): KafkaLog => {
  silenceNegativeTimeouts();
  const { brokers, clientId, prefix, apart, tls, sasl } = settings;
  const kafka = new Kafka({
    brokers: [...brokers],
    clientId,
    ssl: tls,
    logLevel: logLevel.NOTHING,
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    enforceRequestTimeout: true,
    socketFactory: openSocket,
    retry: RETRY,
    ...(sasl === undefined ? {} : { sasl: sasl as never }),
  });
  const isApart = (topic: TopicId): boolean => apart !== undefined && product.derived.includes(topic);
  const nameOf = (topic: TopicId): string =>
    `${prefix}${declarationOf(product, topic).name}${isApart(topic) ? `.${apart}` : ""}`;
  const groups = `${prefix}whileaway.${apart === undefined ? "" : `${apart}.`}`;
  const idOf = new Map(Object.keys(product.topics).map((topic) => [nameOf(topic), topic]));
  const admin = restartable(() => kafka.admin());
  const producer = restartable(() =>
    kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }),
  );
  const counts = new Map<TopicId, number>();

  const metadataOf = (names?: string[]) => admin.use((client) => fetchMetadata(client, names));
  const partitions = async (topic: TopicId): Promise<number> => {
    const known = counts.get(topic);
    if (known !== undefined) return known;
    const [metadata] = (await metadataOf([nameOf(topic)])).topics;
    if (metadata === undefined || metadata.partitions.length === 0)
      throw new Fatal(`the topic ${nameOf(topic)} does not exist: run \`ops topics\` first`);
    counts.set(topic, metadata.partitions.length);
    return metadata.partitions.length;
  };

  /**
   * Sends records; returns the partitions that have them by now, which may not be all. Where a partition moves to a
   * leader that has answered for other partitions already, kafkajs drops its records and reports success.
   */
  const send = async (records: readonly Placed[]): Promise<readonly Answered[]> => {
    const topicMessages = Array.from(
      Map.groupBy(records, ({ topic }) => topic),
      ([topic, some]) => ({ topic: nameOf(topic), messages: some.map(message) }),
    );
    const answers = await producer.use((to) => to.sendBatch({ acks: -1, topicMessages }));
    return answers.flatMap(({ topicName, partition }) => {
      const topic = idOf.get(topicName);
      return topic === undefined ? [] : [{ topic, partition }];
    });
  };

  const publish = async (records: readonly Outgoing[]): Promise<void> => {
    const lanes = new Map<TopicId, number>();
    for (const { topic } of records) lanes.set(topic, lanes.get(topic) ?? (await partitions(topic)));
    const placed = records.map((record) => ({
      ...record,
      timestamp: record.timestamp ?? clock.now(),
      partition: record.partition ?? laneOf(record.key ?? "", lanes.get(record.topic) ?? 1),
    }));
    for (const request of produceRequests(placed)) {
      let left: readonly Placed[] = request;
      while (left.length > 0) {
        const before = left.length;
        left = unanswered(left, await send(left));
        if (left.length === before)
          throw new Transient("Kafka: no partition has acknowledged the records that were published");
      }
    }
  };
  /**
   * The last publication: they run one at a time. Where a partition refuses its part of a request, kafkajs sends the whole
   * request again. Records sent meanwhile would get the same sequence numbers, and the broker would drop them as repeats.
   */
  let published: Promise<void> = Promise.resolve();

  const log: KafkaLog = {
    nameOf,
    partitions,
    publish(records) {
      const publication = published.then(() => publish(records));
      published = publication.catch(() => undefined); // the caller gets the error
      return publication;
    },
    async offsets(wanted) {
      const byTopic = Map.groupBy(wanted, ({ topic }) => topic);
      const found = new Map<string, OffsetRange>();
      const ask = async (topic: TopicId): Promise<void> => {
        await partitions(topic); // throws Fatal where the topic does not exist
        const offsets = await admin.use((client) => client.fetchTopicOffsets(nameOf(topic)));
        for (const { partition, low, high } of offsets)
          found.set(`${topic}/${partition}`, { low: Number(low), high: Number(high) });
      };
      await Promise.all([...byTopic.keys()].map(ask));
      return wanted.map(({ topic, partition }) => found.get(`${topic}/${partition}`) ?? { low: 0, high: Infinity });
    },
    async subscribe(group, topics, laneCount) {
      await Promise.all(topics.map(partitions)); // a consumer would wait for ever for a topic that does not exist
      return subscribe(kafka, `${groups}${group}`, topics, laneCount, { nameOf, idOf });
    },
    scan: (topics) => scanOf(log, topics),
    async describe() {
      const { topics: found } = await metadataOf();
      const ours = found.flatMap(({ name, partitions: { length, 0: first } }) => {
        const topic = idOf.get(name);
        const replication = first?.replicas.length ?? 1;
        return topic === undefined ? [] : [{ topic, name, partitions: length, replication }];
      });
      const resources = ours.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name }));
      const configs =
        ours.length === 0
          ? []
          : (await admin.use((client) => client.describeConfigs({ resources, includeSynonyms: false }))).resources;
      const configOf = new Map(
        configs.map(({ resourceName, configEntries }) => [
          resourceName,
          Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
      return new Map(ours.map(({ topic, name, ...state }) => [topic, { ...state, config: configOf.get(name) ?? {} }]));
    },
    async create(wanted) {
      const asked = wanted.map(({ topic, partitions: numPartitions, replication: replicationFactor, config }) => ({
        topic: nameOf(topic),
        numPartitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      }));
      // Without waitForLeaders: with it kafkajs gives up where a broker does not know the topic yet.
      await admin.use((client) => client.createTopics({ topics: asked, waitForLeaders: false }));
    },
    async clear() {
      if (apart === undefined)
        throw new Fatal("Kafka: clear() deletes the topics of a log apart, and this is the live log");
      const names = new Set((await metadataOf()).topics.map(({ name }) => name));
      const left = product.derived.map(nameOf).filter((name) => names.has(name));
      if (left.length > 0) await admin.use((client) => client.deleteTopics({ topics: left }));
      const all = await admin.use((client) => client.listGroups());
      const ours = all.groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(groups));
      if (ours.length > 0) await admin.use((client) => client.deleteGroups(ours));
      counts.clear();
    },
    async [Symbol.asyncDispose]() {
      await producer.end();
      await admin.end();
    },
  };
  return log;
};

const message = ({ key, value, headers, partition, timestamp }: Placed): Message => ({
  key,
  value: value === null ? null : asBuffer(value),
  partition,
  ...(headers === undefined ? {} : { headers: headersOf(headers) }),
  ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
});

const fetchMetadata = async (admin: Admin, names?: string[]): Promise<{ topics: ITopicMetadata[] }> => {
  try {
    return await admin.fetchTopicMetadata(names === undefined ? undefined : { topics: names });
  } catch (error) {
    if ((error as { readonly type?: string }).type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
    throw new Fatal(`the topics ${names?.join(", ")} do not all exist: run \`ops topics\` first`);
  }
};
