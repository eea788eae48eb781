import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** Number of changes of membership, one a second. */
const CHANGES = IS_WHOLE ? 60 : 12;
/** Processes at once, and processes asked to stop at once. */
const MOST = 3;
const MOST_GOING = 2;
/** Milliseconds that a process has to stop when asked to: the default of Kubernetes. */
const GRACE = 30_000;

test(
  `processes that come and go every second lose and repeat nothing, and stop in time when asked to (SEED=${SEED})`,
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

/** The outcome: members that are left, changes made, and the slowest stop. */
interface Changed {
  readonly left: readonly Running[];
  readonly changes: readonly string[];
  readonly longest: number;
  readonly told: number;
}

/** Starts or stops a member every second, the given number of times, while there is work. */
const comeAndGo = async (chat: World, dice: Random): Promise<Changed> => {
  let working: Running[] = [startAll(chat)];
  await eventually(async () => expect(await toldOf(chat)).toBeGreaterThan(0));
  const before = await toldOf(chat);
  const going: Promise<number>[] = [];
  const changes: string[] = [];
  while (changes.length < CHANGES) {
    // Mostly members that work. A process that hasn't installed its handlers would end by the signal itself, having
    // done nothing.
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

/** The number of records on the notifications topic. */
const toldOf = async ({ log }: World): Promise<number> => {
  const places = Array.from(
    { length: PARTITIONS },
    (_none, partition) => ({ topic: "notifications", partition }) as const,
  );
  return (await log.offsets(places)).reduce((sum, { high }) => sum + high, 0);
};

/** Asks a member to stop; resolves with the milliseconds that it took, when it has ended with 0. */
const leave = async ({ child, end }: Running): Promise<number> => {
  const asked = performance.now();
  child.kill("SIGTERM");
  expect(await end).toEqual({ code: 0, signal: null });
  return performance.now() - asked;
};
