import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { random } from "../../deploy/local/demo/random.ts";
import { type Broker, startBrokers } from "../support/brokers.ts";
import { world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { type Trial, trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 600 : 30;
const KILLS = IS_WHOLE ? 6 : 1;
/** Longest time between two kills of a broker, and longest time that a broker stays dead, in milliseconds. */
const LONGEST_LIFE = 5_000;
const LONGEST_DEATH = 3_000;

test(
  `a broker that is killed and restarted loses no message and no mail (KILLS=${KILLS} SEED=${SEED})`,
  { timeout: 120_000 + KILLS * 60_000 },
  async () => {
    const brokers = await startBrokers(1);
    const chat = await world({ LOG_LEVEL: "error" }, {}, brokers);
    using work = await trial(chat, HISTORIES);
    const running = startAll(chat);
    const deaths = await work.during(killAgainAndAgain([...brokers.nodes.values()], work), [running]);
    expect(deaths).toHaveLength(KILLS);
    await work.end([running], deaths);
  },
);

/** Kills and restarts brokers at moments that the seed draws. */
const killAgainAndAgain = async (brokers: readonly Broker[], work: Trial): Promise<readonly string[]> => {
  const dice = random(SEED);
  const deaths: string[] = [];
  await work.echo();
  while (deaths.length < KILLS) {
    const broker = dice.pick(brokers);
    await delay(dice.below(LONGEST_LIFE)); // a drawn moment, not a wait for a fact
    await broker.kill();
    const dead = dice.below(LONGEST_DEATH);
    await delay(dead);
    await broker.start();
    deaths.push(`dead for ${dead} ms and a start (heard again after ${await work.echo()} ms)`);
  }
  return deaths;
};
