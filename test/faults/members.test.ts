import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** How often somebody comes or goes, a second after the one before. */
const CHANGES = IS_WHOLE ? 60 : 12;
/** Processes at once, and that are asked to go at once. */
const MOST = 3;
const MOST_GOING = 2;
/** Milliseconds that a process has to go when asked to: what Kubernetes gives one, unless told otherwise. */
const GRACE = 30_000;

test(
  `processes come and go every second: nothing is lost or comes twice, and who is asked to go does in time (SEED=${SEED})`,
  { timeout: 180_000 + CHANGES * 10_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" });
    using work = await trial(chat, HISTORIES);
    const { left, changes, longest, told } = await work.during(comeAndGo(chat, random(SEED)));
    expect(longest).toBeLessThan(GRACE);
    console.log(`the longest took ${(longest / SECOND).toFixed(1)} s to go; ${told} events were told meanwhile`);
    const { again } = await work.end(left.length > 0 ? left : [startAll(chat)], changes);
    expect(again).toMatchObject({ mails: 0, webhooks: 0 });
  },
);

/** What came of it: who is still there, who came and went, and how long the slowest took to go. */
interface Changed {
  readonly left: readonly Running[];
  readonly changes: readonly string[];
  readonly longest: number;
  readonly told: number;
}

/** Somebody comes or goes every second, so often, once there is work under way. */
const comeAndGo = async (chat: World, dice: Random): Promise<Changed> => {
  let working: Running[] = [startAll(chat)];
  await eventually(async () => expect(await toldOf(chat)).toBeGreaterThan(0));
  const before = await toldOf(chat);
  const going: Promise<number>[] = [];
  const changes: string[] = [];
  while (changes.length < CHANGES) {
    // Mostly those who work. Before it says that it starts, one would end by the signal itself, having done nothing.
    const come = dice.below(4) === 0 ? "starting" : "ready";
    const leaving = working.filter((one) => hasSaid(one, come)).slice(0, 1 + dice.below(MOST_GOING));
    if (working.length < MOST) {
      working.push(startAll(chat));
      changes.push("+1");
    } else if (leaving.length > 0) {
      going.push(...leaving.map(leave));
      working = working.filter((one) => !leaving.includes(one));
      changes.push(`-${leaving.length}`);
    }
    await delay(SECOND); // the pace of the changes, not a wait for a fact
  }
  const told = (await toldOf(chat)) - before;
  const longest = Math.max(...(await Promise.all(going)));
  await eventually(() => expect(working.every((one) => hasSaid(one, "starting"))).toBe(true));
  return { left: working, changes, longest, told };
};

/** Records that tell of notifications. */
const toldOf = async ({ log }: World): Promise<number> => {
  const places = Array.from(
    { length: PARTITIONS },
    (_none, partition) => ({ topic: "notifications", partition }) as const,
  );
  return (await log.offsets(places)).reduce((sum, { high }) => sum + high, 0);
};

/** Asks it to go; resolves with how long it took, in milliseconds, when it has ended well. */
const leave = async ({ child, end }: Running): Promise<number> => {
  const asked = performance.now();
  child.kill("SIGTERM");
  expect(await end).toEqual({ code: 0, signal: null });
  return performance.now() - asked;
};
