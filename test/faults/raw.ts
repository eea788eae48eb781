import kafkajs, { type IHeaders } from "kafkajs";
import { inject, onTestFinished } from "vitest";
import type { TopicId } from "../../services/domain/topics.ts";
import type { TestLog } from "../support/world.ts";

const { CompressionTypes, Kafka, logLevel } = kafkajs;

/** A record as it lies on the wire: what our own producer never says. */
export interface Raw {
  readonly topic: TopicId;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: IHeaders;
  readonly timestamp?: number;
  readonly isCompressed?: boolean;
}

/** A client of the broker's own kind, beside the one that services have. */
export const client = () => new Kafka({ brokers: inject("kafka").split(","), logLevel: logLevel.NOTHING });

/** Puts records on the log, each by itself, whatever is in them; returns the offset of each. */
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
