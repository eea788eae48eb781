import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { topicIds } from "../../services/domain/topics.ts";
import { type Broker, startBrokers } from "../support/brokers.ts";
import { eventually, PARTITIONS, testLog, type TestLog } from "../support/world.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

/** Number of times that a broker goes. */
const GOINGS = IS_WHOLE ? 9 : 2;
/** Milliseconds between two rounds: often less than a partition takes to change its leader. */
const PUBLISH_EVERY = 10;

test(
  `every record acknowledged by publish is on the log, whichever broker leads its partition (GOINGS=${GOINGS} SEED=${SEED})`,
  { timeout: 120_000 + GOINGS * 40_000 },
  async () => {
    const brokers = await startBrokers(3);
    const chat = await testLog({}, brokers);
    const stop = new AbortController();
    // Two publish calls at once: a refusal of one must not count for the other.
    const publishing = Promise.all(["a", "b"].map((name) => publishOn(chat, name, stop.signal)));
    const dice = random(SEED);
    const all = [...brokers.nodes.values()];
    for (let going = 0; going < GOINGS; going++) await bounce(dice.pick(all), dice.chance(0.5), chat);
    stop.abort();
    const rounds = (await publishing).reduce((sum, some) => sum + some);
    const { there, repeats } = await settled(() => roundsOf(chat));
    console.log(`${GOINGS} brokers went (seed ${SEED}): ${rounds} rounds published, ${repeats} records twice`);
    expect(there).toEqual(new Map(places.map((place) => [place, rounds])));
  },
);

const places = topicIds.flatMap((topic) =>
  Array.from({ length: PARTITIONS }, (_none, partition) => `${topic}/${partition}`),
);

/** Publishes a record to every partition in one call, again and again. Returns the number of calls. */
const publishOn = async ({ log }: TestLog, name: string, stop: AbortSignal): Promise<number> => {
  let round = 0;
  for (; !stop.aborted; round++) {
    const records = topicIds.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_none, partition) => ({
        topic,
        partition,
        key: `${name}${round}`,
        value: Buffer.from("x"),
      })),
    );
    await eventually(() => log.publish(records));
    await delay(PUBLISH_EVERY);
  }
  return round;
};

/** Stops or kills a broker, and starts it again when the others have taken its work. */
const bounce = async (broker: Broker, isAsked: boolean, { log }: TestLog): Promise<void> => {
  await (isAsked ? broker.stop() : broker.kill());
  const before = await published(log);
  await eventually(async () => expect(await published(log)).toBeGreaterThan(before));
  await broker.start();
};

/** The number of records that one partition has had. */
const published = (log: TestLog["log"]): Promise<number> =>
  settled(async () => (await log.offsets([{ topic: "messages", partition: 0 }]))[0]?.high ?? -1);

/** Returns the answer as soon as there is one: a changing cluster gives none for a moment. */
const settled = async <T>(ask: () => Promise<T>): Promise<T> => {
  const answers: T[] = [];
  await eventually(async () => void answers.push(await ask()));
  return answers[0] as T;
};

/** For each partition, the number of rounds found in order, and the number of repeated records. */
const roundsOf = async ({ log }: TestLog) => {
  const keys = new Map<string, string[]>();
  for await (const raws of log.scan(topicIds))
    for (const { topic, partition, key } of raws) {
      const place = `${topic}/${partition}`;
      keys.set(place, [...(keys.get(place) ?? []), String(Buffer.from(key ?? []))]);
    }
  let repeats = 0;
  const there = new Map<string, number>();
  for (const [place, all] of keys) {
    there.set(place, new Set(all).size);
    repeats += all.length - new Set(all).size;
  }
  return { there, repeats };
};
