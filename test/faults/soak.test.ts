import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import { eventually, type World, world } from "../support/world.ts";
import type { Order, Weight } from "./orders.ts";
import { hasSaid, type Running, startAll } from "./processes.ts";
import { type Trial, trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

/** Minutes of steady work with small faults: SOAK=60 sets another number. A run of all tests takes less than one. */
const MINUTES = Number(process.env["SOAK"] ?? (IS_WHOLE ? 3 : 0.2));
const LONG = MINUTES * MINUTE;
const HISTORIES = 50;
/** Longest time between two faults, in milliseconds. */
const LONGEST = 5_000;
/** Bytes by which memory may differ between two looks without a leak: compiled code, work under way. */
const MEMORY_NOISE = 12 * 1024 * 1024;

/** Number of handles of a kind that may come and go: a timer of a wait, a connection that is made anew. */
const HANDLE_NOISE = 3;

/** Causes a small fault; returns a description of it. */
type Fault = (chat: World) => Promise<string>;

const faults: readonly Fault[] = [
  async ({ database }) => {
    const gone = await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'whileaway%' limit 1`,
    );
    return `${gone.length} backend terminated`;
  },
  (chat) => comeAndGo(chat, "SIGTERM"),
  // Its consequences are waited for, for half a minute.
  ...(MINUTES > 1 ? [(chat: World) => comeAndGo(chat, "SIGKILL")] : []),
];

const comeAndGo = async (chat: World, signal: "SIGTERM" | "SIGKILL"): Promise<string> => {
  const other = startAll(chat);
  await eventually(() => expect(hasSaid(other, "ready")).toBe(true));
  other.child.kill(signal);
  await other.end;
  return `another came and went by ${signal}`;
};

test(
  `work without end leaves nothing behind in its process (${LONG / SECOND} s, SEED=${SEED})`,
  { timeout: 300_000 + 2 * LONG },
  async () => {
    const chat = await world({ LOG_LEVEL: "info" });
    using work = await trial(chat, HISTORIES);
    const dice = random(SEED);
    const it = startAll(chat);
    const early = await work.during(trouble(chat, dice, LONG / 3));
    await rest(chat, work);
    const first = await holds(chat, it);
    const late = await work.during(trouble(chat, dice, (LONG * 2) / 3));
    await rest(chat, work);
    await eventually(async () => expect(grown(first, await holds(chat, it))).toEqual({}));
    console.log(`at a third: ${JSON.stringify(first)}; at the end: ${JSON.stringify(await holds(chat, it))}`);
    await work.end([it], [...early, ...late]);
  },
);

/** Causes one small fault after the other until the time is over. */
const trouble = async (chat: World, dice: Random, milliseconds: number): Promise<readonly string[]> => {
  const until = performance.now() + milliseconds;
  const met: string[] = [];
  while (performance.now() < until) {
    met.push(await dice.pick(faults)(chat));
    await delay(dice.below(LONGEST)); // a drawn moment, not a wait for a fact
  }
  return met;
};

/**
 * Resolves when no work is left. The lanes are then claimed anew, which empties the cache of rows: the cache may grow,
 * up to its limit.
 */
const rest = async (chat: World, work: Trial): Promise<void> => {
  await work.idle();
  await comeAndGo(chat, "SIGTERM");
  await work.idle();
};

/**
 * The memory and handles of a process, by name: bytes, the number of each kind of handle, and of database connections.
 */
const holds = async ({ database }: World, { child }: Running): Promise<Readonly<Record<string, number>>> => {
  child.send({ type: "weigh" } satisfies Order);
  const [{ heap, buffers, resources }] = (await once(child, "message")) as [Weight];
  const [found] = await database.query<{ count: number }>(
    "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'whileaway%'",
  );
  return { heap, buffers, ...resources, connections: found?.count ?? 0 };
};

/** The names of the amounts that have grown since the first look, by more than comes and goes by itself. */
const grown = (
  first: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(now).filter(
      ([name, much]) =>
        much > (first[name] ?? 0) + (name === "heap" || name === "buffers" ? MEMORY_NOISE : HANDLE_NOISE),
    ),
  );
