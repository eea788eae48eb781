import { randomUUID } from "node:crypto";
import kafkajs, { type Kafka as Client, type Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { partitionsOf, type TopicPartition } from "../../services/platform/contract/topic-partition.ts";
import type { KafkaLog } from "../../services/platform/adapters/kafka/client.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import type { Log } from "../../services/platform/contract/ports.ts";
import { type TopicId, product } from "../../services/domain/topics.ts";
import { eventually, PARTITIONS, testLog } from "../support/world.ts";
import { assigned, endOf, read, recordsOf, saying, takeUntil, text } from "./log.suite.ts";

const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs;

/** Properties of a real broker: transactions, compression, retention, missing topics. */

let log: KafkaLog;
let client: Client;
let group: string;
beforeAll(async () => {
  ({ log } = await testLog());
  client = new Kafka({ brokers: inject("kafka").split(","), logLevel: logLevel.NOTHING });
  group = randomUUID();
});

const used = new AsyncDisposableStack();
afterAll(() => used.disposeAsync());

const producer = async (transactionalId?: string): Promise<Producer> => {
  const made = client.producer(
    transactionalId === undefined ? {} : { transactionalId, idempotent: true, maxInFlightRequests: 1 },
  );
  await made.connect();
  used.defer(() => made.disconnect());
  return made;
};
const admin = async () => {
  const made = client.admin();
  await made.connect();
  used.defer(() => made.disconnect());
  return made;
};

describe("records of transactions", () => {
  const inTransaction = async (topic: TopicId, values: readonly string[], end: "commit" | "abort"): Promise<void> => {
    const transaction = await (await producer(randomUUID())).transaction();
    const messages = values.map((value) => ({ value, partition: 0 }));
    await transaction.send({ topic: log.nameOf(topic), messages });
    await transaction[end]();
  };

  test("are read when committed and never when aborted, and the end behind their markers is reached", async () => {
    const place: TopicPartition = { topic: "messages", partition: 0 };
    await inTransaction("messages", ["a", "b"], "commit");
    await inTransaction("messages", ["never", "never"], "abort");
    await log.publish([saying("messages", 0, "c")]);
    await inTransaction("messages", ["d"], "commit");
    // Each transaction ends with a marker, which the broker may write after it has answered.
    await eventually(async () => expect(await endOf(log, place)).toBe(2 + 1 + 2 + 1 + 1 + 1 + 1));
    const found = await read(log, `${group}-committed`, place, null);
    expect(found.map(({ value }) => text(value))).toEqual(["a", "b", "c", "d"]);
  });

  test("that are aborted move the position though no record is delivered", async () => {
    const place: TopicPartition = { topic: "participants", partition: 0 };
    await inTransaction("participants", ["never"], "abort");
    await using member = await log.subscribe(`${group}-nothing`, ["participants"], PARTITIONS);
    await assigned(member, 2);
    member.seek(place, null);
    const slices = await takeUntil(member, (some) => (some.at(-1)?.next ?? 0) >= 2);
    expect(recordsOf(slices)).toEqual([]);
    expect(slices.at(-1)).toMatchObject({ from: place, next: await endOf(log, place) });
  });
});

describe("compressed batches", () => {
  const values = Array.from({ length: 300 }, (_none, index) => `${index} ${"compressible ".repeat(index % 40)}`);

  // By kafkajs's own codecs and ours. The broker keeps batches as they come.
  test.each([
    ["gzip", CompressionTypes.GZIP],
    ["snappy", CompressionTypes.Snappy],
    ["zstd", CompressionTypes.ZSTD],
  ])("of a producer with %s are read", async (name, compression) => {
    const place: TopicPartition = { topic: "presence", partition: 0 };
    const start = await endOf(log, place);
    const messages = values.map((value) => ({ value, partition: 0 }));
    await (await producer()).send({ topic: log.nameOf("presence"), compression, messages });
    const found = await read(log, `${group}-${name}`, place, start);
    expect(found.map(({ value }) => text(value))).toEqual(values);
  });

  // As Java writes them: a broker with compression.type compresses batches anew.
  test.each([
    ["gzip", "messages"],
    ["snappy", "inbox"],
    ["lz4", "conversationStrays"],
    ["zstd", "inboxStrays"],
  ] as const)("of Java with %s are read", async (name, topic) => {
    const place: TopicPartition = { topic, partition: 1 };
    const configEntries = [{ name: "compression.type", value: name }];
    const resource = { type: ConfigResourceTypes.TOPIC, name: log.nameOf(topic), configEntries };
    await (await admin()).alterConfigs({ validateOnly: false, resources: [resource] });
    await log.publish(values.map((value) => saying(topic, 1, value)));
    const found = await read(log, `${group}-java-${name}`, place, null);
    expect(found.map(({ value }) => text(value))).toEqual(values);
  });
});

test("deleted records are skipped, from any offset", async () => {
  const place: TopicPartition = { topic: "deadLetters", partition: 1 };
  await log.publish(["a", "b", "c", "d"].map((value) => saying("deadLetters", 1, value)));
  const topic = log.nameOf("deadLetters");
  const brokers = await admin();
  await brokers.fetchTopicOffsets(topic); // kafkajs deletes no records of a topic that it hasn't looked up
  await brokers.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: "2" }] });
  expect(await log.offsets([place])).toEqual([{ low: 2, high: 4 }]);
  for (const from of [null, 0, 1, 2]) {
    const found = await read(log, `${group}-deleted-${from}`, place, from);
    expect(found.map(({ offset, value }) => [offset, text(value)])).toEqual([
      [2, "c"],
      [3, "d"],
    ]);
  }
});

test("a log apart has topics and groups of its own for derived data, shares the rest, and is cleared alone", async () => {
  const { log: live, prefix } = await testLog();
  const apart = used.use(
    openKafka(product, { brokers: inject("kafka").split(","), clientId: "tests", prefix, apart: "aside", tls: false }),
  );
  await apart.create([{ topic: "inbox", partitions: 3, replication: 1, config: {} }]);
  await eventually(async () => expect((await apart.describe()).get("inbox")?.partitions).toBe(3));
  await live.publish([saying("messages", 0, "shared"), saying("inbox", 0, "live")]);
  await apart.publish([saying("inbox", 0, "apart")]);
  const readAll = async (from: Log, topic: TopicId) =>
    (await read(from, group, { topic, partition: 0 }, null)).map(({ value }) => text(value));
  expect([await readAll(apart, "messages"), await readAll(apart, "inbox")]).toEqual([["shared"], ["apart"]]);
  expect([await readAll(live, "messages"), await readAll(live, "inbox")]).toEqual([["shared"], ["live"]]);

  await eventually(() => apart.clear());
  await eventually(async () => expect((await apart.describe()).has("inbox")).toBe(false));
  expect((await apart.describe()).has("messages")).toBe(true);
  expect(await readAll(live, "inbox")).toEqual(["live"]);
  const groups = (await (await admin()).listGroups()).groups.map(({ groupId }) => groupId);
  expect(groups.filter((id) => id.startsWith(prefix))).toEqual([`${prefix}whileaway.${group}`]);
  await expect(live.clear()).rejects.toMatchObject({ name: "Fatal" });
});

describe("a missing topic", () => {
  let empty: Log;
  beforeAll(() => {
    empty = used.use(
      openKafka(product, {
        brokers: inject("kafka").split(","),
        clientId: "tests",
        prefix: `${randomUUID()}.`,
        tls: false,
      }),
    );
  });
  const told = { name: "Fatal", message: expect.stringContaining("run `ops topics`") as string };

  test.each([
    ["to be counted", () => empty.partitions("inbox")],
    ["to publish to", () => empty.publish([saying("inbox", 0, "a")])],
    ["to look into", () => empty.offsets([{ topic: "inbox", partition: 0 }])],
    ["to read", () => empty.subscribe(group, ["messages", "inbox"], PARTITIONS)],
  ])("%s is fatal, and the error says what to do", async (_what, ask) => {
    await expect(ask()).rejects.toMatchObject(told);
  });
});

test("a missing broker is a passing failure", async () => {
  await using none = openKafka(product, { brokers: ["127.0.0.1:9"], clientId: "tests", prefix: "", tls: false });
  await expect(none.partitions("inbox")).rejects.toMatchObject({ name: "Transient" });
  await expect(partitionsOf(none, ["inbox"])).rejects.toMatchObject({ name: "Transient" });
});
