import kafkajs, { type IHeaders } from "kafkajs";
import { inject, onTestFinished } from "vitest";
import type { TopicId } from "../../services/domain/topics.ts";
import type { TestLog } from "../support/world.ts";

const { CompressionTypes, Kafka, logLevel } = kafkajs;

/** A record as it lies on the wire, such as our own producer never writes. */
export interface Raw {
  readonly topic: TopicId;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: IHeaders;
  readonly timestamp?: number;
  readonly isCompressed?: boolean;
}

/** A Kafka client for tests, beside that of the services. */
export const client = () => new Kafka({ brokers: inject("kafka").split(","), logLevel: logLevel.NOTHING });

/** Publishes records one by one, whatever is in them; returns the offset of each. */
export const rawProducer = async ({
  log,
}: TestLog): Promise<(records: readonly Raw[]) => Promise<readonly number[]>> => {
  const producer = client().producer({ allowAutoTopicCreation: false });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const put = async ({ topic, partition, timestamp, isCompressed = false, ...said }: Raw): Promise<number> => {
    const message = { ...said, partition, ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }) };
    const compression = isCompressed ? CompressionTypes.GZIP : CompressionTypes.None;
    const [done] = await producer.send({ topic: log.nameOf(topic), compression, messages: [message] });
    return Number(done?.baseOffset ?? done?.offset ?? -1);
  };
  return (records) => Promise.all(records.map(put));
};
