import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { eventually, type World, world } from "../support/world.ts";
import { epochsOf } from "./lanes.ts";
import { hasSaid, refusals, type Running, startAll, type Strike } from "./processes.ts";
import { steps } from "./steps.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 300 : 30;
/** A process stops at one of the first times that it passes a failpoint. */
const MOST_TIMES = 3;
/** Milliseconds for which it stands still, at least: twice the time after which the log takes its partitions away. */
const STILL = 20_000;
/** Milliseconds of work within which a process is stopped at a drawn moment. */
const ANY_MOMENT = 4_000;

type Stop = (typeof steps)[number] | "anywhere";

/** Failpoints where nothing has been sent, or nothing is left to send. */
const unsent = steps.filter(([point]) => point === "leased");
/** Every other failpoint and some drawn moments, or one failpoint. */
const stops: readonly Stop[] = IS_WHOLE
  ? [...steps.filter((step) => !unsent.includes(step)), "anywhere", "anywhere", "anywhere"]
  : steps.filter(([point, who]) => point === "folded" && who === "inboxes");

test(
  `a stalled process that wakes up after a takeover cannot write, wherever it stalled (SEED=${SEED})`,
  { timeout: 120_000 + stops.length * 120_000 },
  async () => expect((await zombies(stops)).met).toHaveLength(stops.length),
);

test.skipIf(!IS_WHOLE).each(unsent)(
  `a process that stalls before it sends does not send when it wakes up: %s %s (SEED=${SEED})`,
  { timeout: 240_000 },
  async (...stop) => {
    // One repeat for each zombie, of its queue: an attempt beside the one in hand may have been answered, and not
    // settled.
    const { again } = await zombies([stop], { MAIL_CONCURRENCY: "1", WEBHOOK_CONCURRENCY: "1" });
    expect(stop[1] === "mail" ? again.mails : again.webhooks).toBe(0);
  },
);

/**
 * Stalls processes one after the other beside one that goes on. Returns descriptions of the refusals, and the repeats.
 */
const zombies = async (at: readonly Stop[], settings: Readonly<Record<string, string>> = {}) => {
  const chat = await world({ LOG_LEVEL: "info", ...settings });
  using work = await trial(chat, HISTORIES);
  const dice = random(SEED);
  const other = startAll(chat);
  await eventually(() => expect(hasSaid(other, "ready")).toBe(true));
  const met: string[] = [];
  for (const stop of at) met.push(await work.during(zombie(chat, stop, dice)));
  return { met, again: (await work.end([other], met)).again };
};

/**
 * Starts a process beside the other, stalls it until the other has all of its work, and resumes it. Returns a
 * description of its refusals.
 */
const zombie = async (chat: World, stop: Stop, dice: Random): Promise<string> => {
  const it = await stopped(chat, stop, dice);
  const before = it.said.length;
  const queue = stop !== "anywhere" && isQueue(stop) ? stop[1] : null;
  const [epochs, retaken] = [await epochsOf(chat), await retakenOf(chat, queue)];
  await delay(STILL);
  await eventually(async () => {
    for (const [lane, epoch] of await epochsOf(chat)) expect(epoch, lane).toBeGreaterThan(epochs.get(lane) ?? 0);
    if (queue !== null) expect(await retakenOf(chat, queue)).toBeGreaterThan(retaken);
  });
  it.child.kill("SIGCONT");
  const refused = (): readonly string[] => [...new Set(refusals(it.said.slice(before)))];
  await eventually(() => {
    if (stop === "anywhere" || stop[1] === "") expect(refused()).not.toEqual([]);
    else expect(refused()).toContain(stop[1]);
  });
  it.child.kill("SIGTERM");
  expect(await it.end).toEqual({ code: 0, signal: null });
  return `${stop === "anywhere" ? stop : stop.join(" ").trim()} (refused: ${refused().join(" ")})`;
};

/** Starts a process that stalls: at a failpoint, or at a drawn moment. */
const stopped = async (chat: World, stop: Stop, dice: Random): Promise<Running> => {
  if (stop === "anywhere") {
    const it = startAll(chat);
    await eventually(() => expect(hasSaid(it, "ready")).toBe(true));
    await delay(dice.below(ANY_MOMENT)); // a drawn moment, not a wait for a fact
    it.child.kill("SIGSTOP");
    return it;
  }
  const [point, who] = stop;
  const strike: Strike = { point, who, times: 1 + dice.below(MOST_TIMES), signal: "SIGSTOP" };
  const it = startAll(chat, strike);
  await eventually(async () => expect(await stateOf(it)).toMatch(/^T/));
  return it;
};

const isQueue = ([point]: (typeof steps)[number]): boolean =>
  point === "leased" || point === "attempted" || point === "answered";

/** The process's state as the system has it; T: stopped. */
const stateOf = async ({ child }: Running): Promise<string> =>
  (await promisify(execFile)("ps", ["-o", "stat=", "-p", String(child.pid)])).stdout;

/** The number of jobs of the queue that were attempted more than once. */
const retakenOf = async ({ database }: World, queue: string | null): Promise<number> => {
  const [found] = await database.query<{ jobs: number }>(
    "select count(*) as jobs from jobs where queue = $1 and attempts > 1",
    [queue],
  );
  return found?.jobs ?? 0;
};
