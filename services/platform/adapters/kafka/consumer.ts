import kafkajs, { type Consumer, type KafkaMessage, type PartitionAssigner } from "kafkajs";
import type { TopicId } from "../../contract/topic.ts";
import { onSetBack } from "../../runtime/machine-clock.ts";
import type { TopicPartition } from "../../contract/topic-partition.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";
import type { RawRecord, Subscription } from "../../contract/ports.ts";
import { fetchBuffer } from "./fetch-buffer.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { flat, kept, passing, RETRY } from "./client.ts";

const { AssignerProtocol } = kafkajs;

/** Milliseconds. A member that is silent for the session timeout loses its partitions. */
const SESSION_TIMEOUT = 10_000;
const REBALANCE_TIMEOUT = 20_000;
const HEARTBEAT_EVERY = 2_000;
/** Milliseconds that a fetch waits for records. A seek may take as long until it has an effect. */
const FETCH_WAIT = 250;
/** Bytes of a fetch. Small records take ten times as much of the heap; a larger record comes alone all the same (KIP-74). */
const MAX_FETCH_BYTES = scaledToHeap(8 * 1024 * 1024);
const MAX_FETCH_BYTES_PER_PARTITION = scaledToHeap(1024 * 1024);

type Client = InstanceType<typeof kafkajs.Kafka>;

/** Assigns all partitions of a lane to one member, whatever their topic: the owner of the lane reads all of its records. */
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

const consumerOf = (kafka: Client, groupId: string, lanes: number): Consumer =>
  kafka.consumer({
    groupId,
    partitionAssigners: [byLane(lanes)],
    sessionTimeout: SESSION_TIMEOUT,
    rebalanceTimeout: REBALANCE_TIMEOUT,
    heartbeatInterval: HEARTBEAT_EVERY,
    maxWaitTimeInMs: FETCH_WAIT,
    allowAutoTopicCreation: false,
    maxBytes: MAX_FETCH_BYTES,
    maxBytesPerPartition: MAX_FETCH_BYTES_PER_PARTITION,
    // `kept` restarts it: by kafkajs's rules some transient failures are final.
    retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
  });

/** Names of topics on the broker, in both directions. */
export interface Names {
  readonly nameOf: (topic: TopicId) => string;
  readonly idOf: ReadonlyMap<string, TopicId>;
}

/**
 * Joins a group; rejects where that fails. After a later transient failure a new consumer takes over.
 * @param lanes see `byLane`
 */
export const subscribe = async (
  kafka: Client,
  groupId: string,
  topics: readonly TopicId[],
  lanes: number,
  { nameOf, idOf }: Names,
): Promise<Subscription> => {
  /** The consumer in use. Events of earlier consumers are ignored. */
  let current: Consumer | null = null;
  const requestFor = ({ topic, partition }: TopicPartition) => [{ topic: nameOf(topic), partitions: [partition] }];
  // Before it has joined, kafkajs throws here: it has no partitions, and has paused none.
  const ifJoined = (act: () => void): void => {
    try {
      act();
    } catch {
      // not joined: nothing to pause or resume
    }
  };
  const buffer = fetchBuffer({
    full: (partition) => ifJoined(() => current?.pause(requestFor(partition))),
    room: (partition) => ifJoined(() => current?.resume(requestFor(partition))),
  });
  const partitionOf = (name: string, partition: number): TopicPartition | null => {
    const topic = idOf.get(name);
    return topic === undefined ? null : { topic, partition };
  };

  const make = (failed: (error: Error) => void): Consumer => {
    const consumer = consumerOf(kafka, groupId, lanes);
    const { GROUP_JOIN, REBALANCING, STOP, CRASH, END_BATCH_PROCESS } = consumer.events;
    const hear = <Event>(act: (event: Event) => void) => {
      return (event: Event): void => {
        if (consumer === current) act(event);
      };
    };
    current = consumer;
    buffer.assign([]);
    consumer.on(
      GROUP_JOIN,
      hear(({ payload }) => {
        const partitions = Object.entries(payload.memberAssignment).flatMap(([name, numbers]) =>
          numbers.flatMap((partition) => partitionOf(name, partition) ?? []),
        );
        buffer.assign(partitions);
      }),
    );
    // A member that has left the group, for whatever reason, has no partitions until it has joined again.
    consumer.on(
      REBALANCING,
      hear(() => buffer.assign([])),
    );
    consumer.on(
      STOP,
      hear(() => buffer.assign([])),
    );
    consumer.on(
      CRASH,
      hear(({ payload: { error } }) => {
        buffer.assign([]);
        failed(error);
      }),
    );
    // A batch that delivers no record (transaction markers, compacted records) moves the position all the same.
    consumer.on(
      END_BATCH_PROCESS,
      hear(({ payload }) => {
        const partition = partitionOf(payload.topic, payload.partition);
        if (partition !== null && payload.batchSize === 0) buffer.add(partition, [], Number(payload.lastOffset) + 1);
      }),
    );
    return consumer;
  };
  const begin = async (consumer: Consumer): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: topics.map(nameOf), fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch, isStale }) => {
        const partition = partitionOf(batch.topic, batch.partition);
        if (partition === null || isStale() || consumer !== current) return Promise.resolve();
        buffer.add(
          partition,
          batch.messages.map((message) => recordOf(partition, message)),
          Number(batch.lastOffset()) + 1,
        );
        return Promise.resolve();
      },
    });
  };

  const consuming = await kept(make, begin, (error) =>
    buffer.fail(new Fatal(`Kafka: the consumer of ${groupId} has given up: ${error.message}`, { cause: error })),
  );
  // kafkajs times its heartbeats by the machine's clock. Where that is set back, it sends none for so long, loses its
  // partitions, and never notices.
  const watch = onSetBack(() => consuming.restart(new Transient("the machine's clock was set back")));

  return {
    assigned: buffer.assigned,
    seek(partition, offset) {
      const EARLIEST = "-2"; // ListOffsets' special timestamp
      const to = { ...partition, topic: nameOf(partition.topic), offset: String(offset ?? EARLIEST) };
      try {
        consuming.current().seek(to);
      } catch (error) {
        // Before it has joined, kafkajs has no group to seek in.
        throw new Transient(`Kafka: ${messageOf(error)}`, { cause: error });
      }
      buffer.seek(partition);
    },
    take: buffer.take,
    arrival: buffer.arrival,
    commitHint: (positions) =>
      passing(() =>
        consuming.current().commitOffsets(
          positions.map(({ topic, partition, offset }) => ({
            topic: nameOf(topic),
            partition,
            offset: String(offset),
          })),
        ),
      ),
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await consuming.end();
    },
  };
};

const recordOf = (from: TopicPartition, { offset, timestamp, key, value, headers }: KafkaMessage): RawRecord => ({
  ...from,
  offset: Number(offset),
  timestamp: Number(timestamp),
  key,
  value,
  headers: headers === undefined ? {} : flat(headers),
});
