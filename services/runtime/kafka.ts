import kafkajs, {
  type Admin,
  type Consumer,
  type ITopicMetadata,
  type KafkaMessage,
  type Message,
  type PartitionAssigner,
} from "kafkajs";
import { Fatal, messageOf, Transient } from "../core/failure.ts";
import { laneOf } from "../core/lane.ts";
import type { Clock, Extent, Place, RawRecord, Subscription } from "../core/ports.ts";
import { derivedTopics, type TopicId, topicIds, topics } from "../core/topics.ts";
import { arrivals } from "./arrivals.ts";
import { onSetBack, ownClock } from "./clock.ts";
import {
  asBuffer,
  connected,
  flat,
  headersOf,
  type KafkaLog,
  type KafkaSettings,
  passing,
  restartable,
  silenceNegativeTimeouts,
} from "./kafka-client.ts";
import { lz4Codec, snappyCodec, zstdCodec } from "./compression.ts";
import { type Placed, requests } from "./requests.ts";
import { scanOf } from "./scan.ts";

const { AssignerProtocol, CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = snappyCodec;
CompressionCodecs[CompressionTypes.LZ4] = lz4Codec;
CompressionCodecs[CompressionTypes.ZSTD] = zstdCodec;

/** Milliseconds. A member that is silent for the session timeout loses its partitions. */
const SESSION_TIMEOUT = 10_000;
const REBALANCE_TIMEOUT = 20_000;
const HEARTBEAT_EVERY = 2_000;
/** Milliseconds a fetch waits for records: as long may pass before a seek takes effect. */
const FETCH_WAIT = 250;
const REQUEST_TIMEOUT = 30_000;
const CONNECTION_TIMEOUT = 5_000;
const MAX_FETCH_BYTES = 8 * 1024 * 1024;
const MAX_FETCH_BYTES_PER_PARTITION = 1024 * 1024;
/** kafkajs's own attempts at a request; our loops try again after them. */
const RETRIES = 5;

/** @param clock gives records their timestamps */
export const openKafka = (settings: KafkaSettings, clock: Clock = ownClock): KafkaLog => {
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
    retry: { retries: RETRIES, initialRetryTime: 100, maxRetryTime: 2_000 },
    ...(sasl === undefined ? {} : { sasl: sasl as never }),
  });
  const isApart = (topic: TopicId): boolean => apart !== undefined && derivedTopics.includes(topic);
  const nameOf = (topic: TopicId): string => `${prefix}${topics[topic].name}${isApart(topic) ? `.${apart}` : ""}`;
  const groups = `${prefix}whileaway.${apart === undefined ? "" : `${apart}.`}`;
  const idOf = new Map(topicIds.map((topic) => [nameOf(topic), topic]));
  const admin = connected(kafka.admin());
  const producer = restartable(() =>
    kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false }),
  );
  const counts = new Map<TopicId, number>();

  const partitions = async (topic: TopicId): Promise<number> => {
    const known = counts.get(topic);
    if (known !== undefined) return known;
    const [metadata] = (await fetchMetadata(await admin(), [nameOf(topic)])).topics;
    if (metadata === undefined || metadata.partitions.length === 0)
      throw new Fatal(`the topic ${nameOf(topic)} does not exist: run \`ops topics\` first`);
    counts.set(topic, metadata.partitions.length);
    return metadata.partitions.length;
  };

  const log: KafkaLog = {
    nameOf,
    partitions,
    async publish(records) {
      const lanes = new Map<TopicId, number>();
      for (const { topic } of records) lanes.set(topic, lanes.get(topic) ?? (await partitions(topic)));
      const placed = records.map((record) => ({
        ...record,
        timestamp: record.timestamp ?? clock.now(),
        partition: record.partition ?? laneOf(record.key ?? "", lanes.get(record.topic) ?? 1),
      }));
      for (const some of requests(placed)) {
        const topicMessages = Array.from(
          Map.groupBy(some, ({ topic }) => topic),
          ([topic, of]) => ({ topic: nameOf(topic), messages: of.map(message) }),
        );
        await producer.use((to) => to.sendBatch({ acks: -1, topicMessages }));
      }
    },
    async extents(places) {
      const byTopic = Map.groupBy(places, ({ topic }) => topic);
      const found = new Map<string, Extent>();
      const ask = async (topic: TopicId): Promise<void> => {
        await partitions(topic); // says so where there is no such topic
        const offsets = await passing(async () => (await admin()).fetchTopicOffsets(nameOf(topic)));
        for (const { partition, low, high } of offsets)
          found.set(`${topic}/${partition}`, { low: Number(low), high: Number(high) });
      };
      await Promise.all([...byTopic.keys()].map(ask));
      return places.map(({ topic, partition }) => found.get(`${topic}/${partition}`) ?? { low: 0, high: Infinity });
    },
    async subscribe(group, of, laneCount) {
      await Promise.all(of.map(partitions)); // a consumer would ask for ever
      return subscribe(kafka, `${groups}${group}`, of, laneCount, nameOf, idOf);
    },
    scan: (of) => scanOf(log, of),
    async describe() {
      const { topics: found } = await fetchMetadata(await admin());
      const ours = found.flatMap(({ name, partitions: { length, 0: first } }) => {
        const topic = idOf.get(name);
        const replication = first?.replicas.length ?? 1;
        return topic === undefined ? [] : [{ topic, name, partitions: length, replication }];
      });
      const resources = ours.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name }));
      const configs =
        ours.length === 0
          ? []
          : (await passing(async () => (await admin()).describeConfigs({ resources, includeSynonyms: false })))
              .resources;
      const configOf = new Map(
        configs.map(({ resourceName, configEntries }) => [
          resourceName,
          Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        ]),
      );
      return new Map(ours.map(({ topic, name, ...of }) => [topic, { ...of, config: configOf.get(name) ?? {} }]));
    },
    async create(wanted) {
      const asked = wanted.map(({ topic, partitions: numPartitions, replication: replicationFactor, config }) => ({
        topic: nameOf(topic),
        numPartitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      }));
      // Not waitForLeaders: kafkajs gives up on a broker that doesn't know of a topic yet.
      await passing(async () => (await admin()).createTopics({ topics: asked, waitForLeaders: false }));
    },
    async clear() {
      if (apart === undefined) throw new Fatal("Kafka: the live log's topics are not deleted from here");
      const names = new Set((await fetchMetadata(await admin())).topics.map(({ name }) => name));
      const left = derivedTopics.map(nameOf).filter((name) => names.has(name));
      if (left.length > 0) await passing(async () => (await admin()).deleteTopics({ topics: left }));
      const all = await passing(async () => (await admin()).listGroups());
      const ours = all.groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(groups));
      if (ours.length > 0) await passing(async () => (await admin()).deleteGroups(ours));
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

const fetchMetadata = (admin: Admin, names?: string[]): Promise<{ topics: ITopicMetadata[] }> =>
  passing(async () => {
    try {
      return await admin.fetchTopicMetadata(names === undefined ? undefined : { topics: names });
    } catch (error) {
      if ((error as { readonly type?: string }).type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
      throw new Fatal(`the topics ${names?.join(", ")} do not all exist: run \`ops topics\` first`);
    }
  });

/** Partitions of one lane go to one member, whatever the topic: who holds the lane takes all of its records. */
const byLane =
  (lanes: number): PartitionAssigner =>
  ({ cluster }) => ({
    name: "whileaway-by-lane",
    version: 1,
    assign({ members, topics: names }) {
      const ids = members.map(({ memberId }) => memberId).toSorted();
      return Promise.resolve(
        ids.map((memberId, index) => {
          const assignment = Object.fromEntries(
            names.map((name) => [
              name,
              cluster
                .findTopicPartitionMetadata(name)
                .map(({ partitionId }) => partitionId)
                .filter((id) => (id % lanes) % ids.length === index),
            ]),
          );
          const userData = Buffer.alloc(0);
          return {
            memberId,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 1, assignment, userData }),
          };
        }),
      );
    },
    protocol({ topics: names }) {
      const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: names, userData: Buffer.alloc(0) });
      return { name: "whileaway-by-lane", metadata };
    },
  });

const subscribe = async (
  kafka: InstanceType<typeof Kafka>,
  groupId: string,
  of: readonly TopicId[],
  lanes: number,
  nameOf: (topic: TopicId) => string,
  idOf: ReadonlyMap<string, TopicId>,
): Promise<Subscription> => {
  const consumer = kafka.consumer({
    groupId,
    partitionAssigners: [byLane(lanes)],
    sessionTimeout: SESSION_TIMEOUT,
    rebalanceTimeout: REBALANCE_TIMEOUT,
    heartbeatInterval: HEARTBEAT_EVERY,
    maxWaitTimeInMs: FETCH_WAIT,
    allowAutoTopicCreation: false,
    maxBytes: MAX_FETCH_BYTES,
    maxBytesPerPartition: MAX_FETCH_BYTES_PER_PARTITION,
    retry: {
      retries: RETRIES,
      initialRetryTime: 100,
      maxRetryTime: 2_000,
      restartOnFailure: () => Promise.resolve(true),
    },
  });
  const asked = ({ topic, partition }: Place) => [{ topic: nameOf(topic), partitions: [partition] }];
  // kafkajs knows no partitions while it restarts after a failure, and has paused none after it.
  const unlessRestarting = (act: () => void): void => {
    try {
      act();
    } catch {
      // as it should be
    }
  };
  const buffer = arrivals({
    full: (place) => unlessRestarting(() => consumer.pause(asked(place))),
    room: (place) => unlessRestarting(() => consumer.resume(asked(place))),
  });
  const placeOf = (name: string, partition: number): Place | null => {
    const topic = idOf.get(name);
    return topic === undefined ? null : { topic, partition };
  };

  consumer.on("consumer.group_join", ({ payload }) => {
    const places = Object.entries(payload.memberAssignment).flatMap(([name, numbers]) => {
      const topic = idOf.get(name);
      return topic === undefined ? [] : numbers.map((partition) => ({ topic, partition }));
    });
    buffer.assign(places);
  });
  // Who has left the group, for whatever reason, has nothing until they have joined again.
  for (const left of ["consumer.rebalancing", "consumer.stop"] as const) consumer.on(left, () => buffer.assign([]));
  consumer.on("consumer.crash", ({ payload: { error, restart } }) => {
    buffer.assign([]);
    if (!restart)
      buffer.fail(new Fatal(`Kafka: the consumer of ${groupId} has given up: ${error.message}`, { cause: error }));
  });
  // Batches of which nothing is delivered (transaction markers, compacted away) move the position all the same.
  consumer.on("consumer.end_batch_process", ({ payload }) => {
    const place = placeOf(payload.topic, payload.partition);
    if (place !== null && payload.batchSize === 0) buffer.add(place, [], Number(payload.lastOffset) + 1);
  });

  const run = () =>
    consumer.run({
      autoCommit: false,
      eachBatch: ({ batch, isStale }) => {
        const place = placeOf(batch.topic, batch.partition);
        if (place === null || isStale()) return Promise.resolve();
        buffer.add(
          place,
          batch.messages.map((one) => raw(place, one)),
          Number(batch.lastOffset()) + 1,
        );
        return Promise.resolve();
      },
    });
  await passing(async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: of.map(nameOf), fromBeginning: true });
    await run();
  });
  // kafkajs tells by the machine's clock when to give a sign of life: where that is set back, it gives none for so long,
  // is taken for dead, and never knows.
  let joining = Promise.resolve();
  const watch = onSetBack(() => {
    joining = joining
      .then(() => consumer.stop())
      .then(run)
      .catch((cause: unknown) => buffer.fail(new Fatal(`Kafka: ${groupId} can't be joined again`, { cause })));
  });
  return subscription(consumer, buffer, nameOf, async () => {
    watch[Symbol.dispose]();
    await joining;
  });
};

const subscription = (
  consumer: Consumer,
  buffer: ReturnType<typeof arrivals>,
  nameOf: (topic: TopicId) => string,
  beforeEnd: () => Promise<void>,
): Subscription => ({
  assigned: buffer.assigned,
  seek(place, offset) {
    const EARLIEST = "-2"; // ListOffsets' special timestamp
    const to = { topic: nameOf(place.topic), partition: place.partition, offset: String(offset ?? EARLIEST) };
    try {
      consumer.seek(to);
    } catch (error) {
      // kafkajs has no group to seek in while it restarts after a failure.
      throw new Transient(`Kafka: ${messageOf(error)}`, { cause: error });
    }
    buffer.seek(place);
  },
  take: buffer.take,
  arrival: buffer.arrival,
  hint: (positions) =>
    passing(() =>
      consumer.commitOffsets(
        positions.map(({ topic, partition, offset }) => ({ topic: nameOf(topic), partition, offset: String(offset) })),
      ),
    ),
  async [Symbol.asyncDispose]() {
    await beforeEnd();
    await consumer.disconnect();
  },
});

const raw = (place: Place, { offset, timestamp, key, value, headers }: KafkaMessage): RawRecord => ({
  ...place,
  offset: Number(offset),
  timestamp: Number(timestamp),
  key,
  value,
  headers: headers === undefined ? {} : flat(headers),
});
