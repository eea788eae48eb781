import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { installGate } from "../support/members.ts";
import { eventually, type World, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { ends, type Server, startServer } from "./server.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, LONGEST, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;
/** Number of times that each way of stopping is tried, and that the disk fills up. */
const TIMES = IS_WHOLE ? 5 : 1;
/** Bytes of a disk that holds all that a test saves, and fills in a moment. */
const DISK = 384 * 1024 * 1024;

/** PostgreSQL's log message for a write to a standby. */
const READ_ONLY = "in a read-only transaction";

/** Faults of PostgreSQL. Each resolves when PostgreSQL takes writes again. */
type Failure = (server: Server, dice: Random) => Promise<string>;

const ended =
  (how: keyof typeof ends): Failure =>
  async (server, dice) => {
    await server.stop(how);
    await delay(dice.below(LONGEST)); // a drawn moment, not a wait for a fact
    await server.start();
    return how;
  };

const demoted: Failure = async (server, dice) => {
  await server.demote();
  // The services are connected again, and their writes were refused.
  await eventually(() => expect(server.says(READ_ONLY)).toBeGreaterThan(0));
  await delay(dice.below(LONGEST));
  await server.promote();
  return "standby";
};

const failures: readonly Failure[] = [ended("killed"), ended("immediate"), ended("fast"), demoted];

const failed = async (server: Server, dice: Random): Promise<readonly string[]> => {
  const struck: string[] = [];
  for (let time = 0; time < TIMES; time++)
    for (const fail of failures) {
      await delay(dice.below(LONGEST));
      struck.push(await fail(server, dice));
    }
  return struck;
};

test(
  `PostgreSQL that is killed, stopped or made a standby, and comes back, loses and repeats nothing (SEED=${SEED})`,
  { timeout: 240_000 + TIMES * 120_000 },
  async () => {
    const server = await startServer();
    const chat = await world({ LOG_LEVEL: "error", DATABASE_URL: server.address });
    using work = await trial(chat, HISTORIES);
    await installGate(chat);
    const running = startAll(chat);
    const struck = await work.during(failed(server, random(SEED)));
    expect(struck).toHaveLength(failures.length * TIMES);
    const { again } = await work.end([running], struck);
    expect(again).toMatchObject({ mails: 0, webhooks: 0 });
  },
);

/** SQLSTATEs of passing conditions: locked rows, memory, disk, connections, cancellation. */
const PASSING = ["40001", "40P01", "53100", "53200", "53300", "55P03", "57014", "58030"];

/**
 * Makes PostgreSQL refuse every fourth statement that changes a row, and every fourth commit, each with one of the
 * SQLSTATEs.
 */
const refuse = async ({ database }: World): Promise<void> => {
  await database.query(
    `create function refuse() returns trigger language plpgsql as $$ begin
       if random() < 0.25 then
         raise exception 'not now' using errcode = (array['${PASSING.join("', '")}'])[1 + floor(random() * ${PASSING.length})];
       end if;
       return new; end $$`,
  );
  for (const table of ["lanes", "outbox", "jobs"]) {
    await database.query(
      `create trigger refuse before insert or update on ${table} for each statement execute function refuse()`,
    );
    await database.query(
      `create constraint trigger refuse_commit after insert or update on ${table} deferrable initially deferred
       for each row execute function refuse()`,
    );
  }
};

const permit = async ({ database }: World): Promise<void> => {
  await database.query("drop function refuse cascade");
};

test(
  `statements and commits that PostgreSQL refuses for a moment are tried until they succeed (SEED=${SEED})`,
  { timeout: 600_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" });
    using work = await trial(chat, HISTORIES);
    await refuse(chat);
    const running = startAll(chat);
    await work.during(delay((IS_WHOLE ? 12 : 6) * LONGEST));
    await eventually(() => permit(chat)); // the drop locks the tables in another order than services do
    const { again } = await work.end([running], [`refused for ${PASSING.join(", ")}`]);
    expect(again.mails).toBe(0);
  },
);

/** PostgreSQL's log message for a full disk. */
const FULL = "No space left on device";

const full = async (server: Server, chat: World, dice: Random): Promise<readonly string[]> => {
  const struck: string[] = [];
  for (let time = 0; time < TIMES; time++) {
    await delay(dice.below(LONGEST));
    const before = server.says(FULL);
    const free = server.fill();
    await eventually(() => expect(server.says(FULL)).toBeGreaterThan(before));
    await delay(dice.below(LONGEST));
    free();
    await server.start(); // PostgreSQL may have stopped, where its log had no room either
    await eventually(async () => void (await chat.database.query("select 1")));
    struck.push("full");
  }
  return struck;
};

test.runIf(process.getuid?.() === 0)(
  `a full disk that has room again costs no mail and repeats none (SEED=${SEED})`,
  { timeout: 600_000 },
  async () => {
    const server = await startServer(DISK);
    const chat = await world({ LOG_LEVEL: "error", DATABASE_URL: server.address });
    using work = await trial(chat, HISTORIES);
    const running = startAll(chat);
    const struck = await work.during(full(server, chat, random(SEED)));
    expect(struck).toHaveLength(TIMES);
    const { again } = await work.end([running], struck);
    expect(again).toMatchObject({ mails: 0, webhooks: 0 });
  },
);
