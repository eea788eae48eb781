import { setTimeout as delay } from "node:timers/promises";
import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { coordinatorOf as askCoordinator } from "../../deploy/local/kafka-wire.ts";
import { random } from "../../deploy/local/demo/random.ts";
import { type Broker, type Brokers, startBrokers } from "../support/brokers.ts";
import { type World, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { type Trial, trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = 600;
const ROUNDS = 3;
/** Milliseconds for which two of three brokers are dead. */
const WITHOUT_MAJORITY = 5_000;

// A round takes minutes: too long for a short run, where `leaders.test.ts` covers the same fault.
test.runIf(IS_WHOLE)(
  `a cluster that loses one broker, or two at once, loses no record (SEED=${SEED})`,
  { timeout: 180_000 + ROUNDS * 240_000 },
  async () => {
    const brokers = await startBrokers(3);
    const chat = await world({ LOG_LEVEL: "info" }, {}, brokers);
    using work = await trial(chat, HISTORIES);
    const running = startAll(chat);
    const struck = await work.during(strike(brokers, chat, work), [running]);
    expect(struck).toHaveLength(3 * ROUNDS);
    await work.end([running], struck);
  },
);

const strike = async (brokers: Brokers, chat: World, work: Trial): Promise<readonly string[]> => {
  const dice = random(SEED);
  const all = [...brokers.nodes.values()];
  const struck: string[] = [];
  await work.echo();
  for (let round = 0; round < ROUNDS; round++) {
    const topic = dice.pick(["messages", "inbox", "notifications"] as const);
    const group = dice.pick(["conversations", "inboxes", "mailer", "webhooks"]);
    const leader = await leaderOf(brokers, chat.log.nameOf(topic));
    struck.push(`the leader of ${topic} gone: ${await lose(leader, work)}`);
    const coordinator = await coordinatorOf(brokers, `${chat.prefix}whileaway.${group}`);
    struck.push(`the coordinator of ${group} gone: ${await lose(coordinator, work)}`);
    const left = dice.pick(all);
    const others = all.filter((one) => one !== left);
    struck.push(`two gone: ${await loseMost(others, work)}`);
  }
  return struck;
};

/** Kills one broker of three: the two others go on. */
const lose = async (gone: Broker, work: Trial): Promise<string> => {
  await gone.kill();
  const without = await work.echo();
  await gone.start();
  return `heard again after ${without} ms, and with it after ${await work.echo()} ms`;
};

/** Kills two brokers of three: the third acknowledges nothing alone. */
const loseMost = async (gone: readonly Broker[], work: Trial): Promise<string> => {
  for (const one of gone) await one.kill();
  await delay(WITHOUT_MAJORITY);
  await Promise.all(gone.map((one) => one.start()));
  return `heard again after ${await work.echo()} ms with them`;
};

/** The leader of the topic's first partition. */
const leaderOf = async ({ address, nodes }: Brokers, topic: string): Promise<Broker> => {
  const admin = new kafkajs.Kafka({ brokers: address.split(","), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return found(nodes, topics[0]?.partitions.find(({ partitionId }) => partitionId === 0)?.leader);
};

const coordinatorOf = async ({ address, nodes }: Brokers, group: string): Promise<Broker> => {
  const [first = ""] = address.split(",");
  return found(nodes, await askCoordinator(group, Number(new URL(`kafka://${first}`).port)));
};

const found = (nodes: Brokers["nodes"], id: number | undefined): Broker => {
  const broker = nodes.get(id ?? NaN);
  if (broker === undefined) throw new Error(`there is no broker ${id}`);
  return broker;
};
