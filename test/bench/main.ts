import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { openHouse } from "../../deploy/local/house.ts";
import type { Site } from "./deciders.ts";
import { endToEnd, endToEndLines, MOST_LETTERS } from "./end-to-end.ts";
import { growth, type Growth, growthLine } from "./growth.ts";
import { lateness, latenessLine, type Load } from "./lateness.ts";
import { PEER, pipeline, type Runs } from "./pipeline.ts";
import { summary } from "./summary.ts";

interface Options {
  readonly json?: boolean;
}

/** Default numbers of users in the runs of `lateness` and `growth`. */
const EACH: readonly number[] = [10_000, 1_000_000];

const tell = (line: string): void => console.error(line);

const whole = (given: string): number => {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("not a whole number from 1 up");
  return number;
};

const wholes = (given: string, before: readonly number[] | undefined): readonly number[] => [
  ...(before === undefined || before === EACH ? [] : before),
  whole(given),
];

/** Runs a benchmark in a house of its own, and removes the house afterwards. */
const onSite = async <T>(run: (site: Site) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), "whileaway-bench-"));
  chmodSync(folder, 0o755); // the database lies within, whose user may be another, and is removed with it
  try {
    await using house = await openHouse({ folder, cacheDir: join(homedir(), ".cache/whileaway"), say: tell });
    return await run({ house, folder, tell });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Runs a benchmark for each number of users, one after the other. */
const onSites = async <T>(
  numbers: readonly number[],
  run: (site: Site, users: number) => Promise<T>,
): Promise<readonly T[]> => {
  const found: T[] = [];
  for (const users of numbers) found.push(await onSite((site) => run(site, users)));
  return found;
};

const print = (found: unknown, lines: readonly string[], json = false): void => {
  for (const line of json ? [JSON.stringify(found, null, 2)] : lines) console.log(line);
};

const bench = new Command("bench").description("measures beside others, never in tests");

bench
  .command("pipeline")
  .description("ours and Kafka Streams, exactly once, in turn on the same broker, topics and load")
  .option("--runs <n>", "runs of each", whole, 3)
  .option("--processes <n>", "processes of conversations and of inboxes each, in ours", whole, 1)
  .option("--peer <dir>", "where the peer and its load generator are", PEER)
  .option("--trace <file>", "a recorded chat (a .csv.gz) as the load, in place of the generator's")
  .option("--json", "prints JSON")
  .argument("[load...]", "options of the load generator, behind --")
  .action(async (load: readonly string[], { json, ...what }: Options & Runs) => {
    const all = await pipeline(what, load, tell);
    const found = summary(all);
    print(found, found.lines, json);
    process.exitCode = all.every(({ wrong }) => wrong === 0) ? 0 : 1;
  });

bench
  .command("lateness")
  .description("how late notifications are that fall due while many others wait")
  .option("--pending <n...>", "users who wait, one run for each number", wholes, EACH)
  .option("--rate <n>", "users who are due each second", whole, 1_000)
  .option("--seconds <n>", "for how long", whole, 30)
  .option("--json", "prints JSON")
  .action(async ({ pending, json, ...load }: Options & Omit<Load, "pending"> & { pending: readonly number[] }) => {
    const found = await onSites(pending, (site, many) => lateness(site, { ...load, pending: many }));
    print(found, found.map(latenessLine), json);
  });

bench
  .command("end-to-end")
  .description("from a message that is due at once to its mail and its webhook, and where the time goes")
  .option("--count <n>", `messages, ${MOST_LETTERS} at most`, whole, 300)
  .option("--rate <n>", "messages a second", whole, 5)
  .option("--json", "prints JSON")
  .action(async ({ json, ...load }: Options & { count: number; rate: number }) => {
    if (load.count > MOST_LETTERS) bench.error(`error: --count ${load.count} is more than ${MOST_LETTERS}`);
    const found = await onSite((site) => endToEnd(site, load));
    print(found, endToEndLines(found), json);
  });

bench
  .command("growth")
  .description("what a message costs, however many users there are, in one process or several")
  .option("--users <n...>", "users of whom there is a state, one run for each number", wholes, EACH)
  .option("--processes <n>", "processes of the services that decide", whole, 1)
  .option("--messages <n>", "messages, to as many users", whole, 20_000)
  .option("--json", "prints JSON")
  .action(
    async ({
      users,
      json,
      ...load
    }: Options & Pick<Growth, "processes" | "messages"> & { users: readonly number[] }) => {
      const found = await onSites(users, (site, many) => growth(site, { ...load, users: many }));
      print(found, found.map(growthLine), json);
    },
  );

await bench.parseAsync();
