import kafkajs, { type Consumer, type KafkaMessage, type PartitionAssigner } from "kafkajs";
import type { TopicId } from "../../contract/topic.ts";
import { onSetBack } from "../../runtime/machine-clock.ts";
import type { TopicPartition } from "../../contract/topic-partition.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";
import type { RawRecord, Subscription } from "../../contract/ports.ts";
import { arrivals } from "./fetch-buffer.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { flat, kept, passing, RETRY } from "./client.ts";

const { AssignerProtocol } = kafkajs;

/** Milliseconds. A member that is silent for the session timeout loses its partitions. */
const SESSION_TIMEOUT = 10_000;
const REBALANCE_TIMEOUT = 20_000;
const HEARTBEAT_EVERY = 2_000;
/** Milliseconds a fetch waits for records: as long may pass before a seek takes effect. */
const FETCH_WAIT = 250;
/** Of small records, each takes ten times as much of the heap; a larger one comes all the same, alone (KIP-74). */
const MAX_FETCH_BYTES = scaledToHeap(8 * 1024 * 1024);
const MAX_FETCH_BYTES_PER_PARTITION = scaledToHeap(1024 * 1024);

type Client = InstanceType<typeof kafkajs.Kafka>;

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
    // We do: by kafkajs's own rules some failures that pass are final.
    retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
  });

/** What topics are called on the log, and back. */
export interface Names {
  readonly nameOf: (topic: TopicId) => string;
  readonly idOf: ReadonlyMap<string, TopicId>;
}

/**
 * Joins a group; rejects where that can't be done now. Later, whatever fails and may pass is tried again, by a new consumer.
 * @param lanes see `byLane`
 */
export const subscribe = async (
  kafka: Client,
  groupId: string,
  of: readonly TopicId[],
  lanes: number,
  { nameOf, idOf }: Names,
): Promise<Subscription> => {
  /** Of those before it nothing is heard any more, and nothing asked. */
  let current: Consumer | null = null;
  const asked = ({ topic, partition }: TopicPartition) => [{ topic: nameOf(topic), partitions: [partition] }];
  // kafkajs knows no partitions before it has joined, and has paused none then.
  const ifJoined = (act: () => void): void => {
    try {
      act();
    } catch {
      // as it should be
    }
  };
  const buffer = arrivals({
    full: (place) => ifJoined(() => current?.pause(asked(place))),
    room: (place) => ifJoined(() => current?.resume(asked(place))),
  });
  const placeOf = (name: string, partition: number): TopicPartition | null => {
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
        const places = Object.entries(payload.memberAssignment).flatMap(([name, numbers]) =>
          numbers.flatMap((partition) => placeOf(name, partition) ?? []),
        );
        buffer.assign(places);
      }),
    );
    // Who has left the group, for whatever reason, has nothing until they have joined again.
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
    // Batches of which nothing is delivered (transaction markers, compacted away) move the position all the same.
    consumer.on(
      END_BATCH_PROCESS,
      hear(({ payload }) => {
        const place = placeOf(payload.topic, payload.partition);
        if (place !== null && payload.batchSize === 0) buffer.add(place, [], Number(payload.lastOffset) + 1);
      }),
    );
    return consumer;
  };
  const begin = async (consumer: Consumer): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: of.map(nameOf), fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch, isStale }) => {
        const place = placeOf(batch.topic, batch.partition);
        if (place === null || isStale() || consumer !== current) return Promise.resolve();
        buffer.add(
          place,
          batch.messages.map((one) => raw(place, one)),
          Number(batch.lastOffset()) + 1,
        );
        return Promise.resolve();
      },
    });
  };

  const consuming = await kept(make, begin, (error) =>
    buffer.fail(new Fatal(`Kafka: the consumer of ${groupId} has given up: ${error.message}`, { cause: error })),
  );
  // kafkajs tells by the machine's clock when to give a sign of life: where that is set back, it gives none for so long,
  // is taken for dead, and never knows.
  const watch = onSetBack(() => consuming.restart(new Transient("the machine's clock was set back")));

  return {
    assigned: buffer.assigned,
    seek(place, offset) {
      const EARLIEST = "-2"; // ListOffsets' special timestamp
      const to = { topic: nameOf(place.topic), partition: place.partition, offset: String(offset ?? EARLIEST) };
      try {
        consuming.current().seek(to);
      } catch (error) {
        // kafkajs has no group to seek in before it has joined.
        throw new Transient(`Kafka: ${messageOf(error)}`, { cause: error });
      }
      buffer.seek(place);
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

const raw = (place: TopicPartition, { offset, timestamp, key, value, headers }: KafkaMessage): RawRecord => ({
  ...place,
  offset: Number(offset),
  timestamp: Number(timestamp),
  key,
  value,
  headers: headers === undefined ? {} : flat(headers),
});
