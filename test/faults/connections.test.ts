import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, onTestFinished, test } from "vitest";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { deck } from "./deck.ts";
import { installGate } from "../support/members.ts";
import { type World, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { type Manner, type Proxy, startProxy } from "./proxy.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, LONGEST, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 600 : 30;
const STRIKES = IS_WHOLE ? 60 : 12;

/** Proxies between the services and PostgreSQL, the mail server and the endpoint. */
interface Lines {
  readonly postgres: Proxy;
  readonly smtp: Proxy;
  readonly endpoint: Proxy;
}

/** Causes a fault; returns a description of it. */
type Trouble = (lines: Lines, chat: World, dice: Random) => Promise<string>;

const lasting =
  (which: keyof Lines, manner: Manner): Trouble =>
  async (lines, _chat, dice) => {
    lines[which].behave(manner);
    await delay(dice.below(LONGEST));
    lines[which].behave({ type: "pass" });
    return `${which} ${manner.type}`;
  };

const cut =
  (which: keyof Lines, how: "end" | "reset"): Trouble =>
  (lines) =>
    Promise.resolve(`${lines[which].cut(how)} of ${which} cut (${how})`);

/** Cuts connections at `commit`: the transaction is done or not, and the client can't know. */
const unknownCommits =
  (isHandedOn: boolean): Trouble =>
  async ({ postgres }, _chat, dice) => {
    const before = postgres.cuts();
    postgres.behave({ type: "cut at", text: "commit", isHandedOn });
    await delay(dice.below(LONGEST));
    postgres.behave({ type: "pass" });
    return `${postgres.cuts() - before} commits cut ${isHandedOn ? "after" : "before"} they came`;
  };

const terminated: Trouble = async (_lines, { database }) => {
  const gone = await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'whileaway%'",
  );
  return `${gone.length} backends terminated`;
};

const locked: Trouble = async (_lines, { database }, dice) => {
  await database.transaction(async (connection) => {
    await connection.query("lock table lanes, jobs in access exclusive mode");
    await delay(dice.below(LONGEST));
  });
  return "tables locked";
};

/** Makes the database read-only, like a standby that a name points to too early. */
const readOnly: Trouble = async (lines, chat, dice) => {
  const [{ name } = { name: "" }] = await chat.database.query<{ name: string }>("select current_database() as name");
  await chat.database.query(`alter database ${name} set default_transaction_read_only = on`);
  await terminated(lines, chat, dice);
  await delay(dice.below(LONGEST));
  await chat.database.query(`alter database ${name} reset default_transaction_read_only`);
  await terminated(lines, chat, dice);
  return "read-only for a while";
};

const troubles: readonly Trouble[] = [
  unknownCommits(true),
  unknownCommits(false),
  terminated,
  locked,
  readOnly,
  cut("postgres", "reset"),
  lasting("postgres", { type: "stalled" }),
  lasting("postgres", { type: "slow", latency: 100 }),
  lasting("postgres", { type: "closed" }),
  cut("smtp", "reset"),
  cut("smtp", "end"),
  lasting("smtp", { type: "stalled" }),
  lasting("smtp", { type: "closed" }),
  lasting("smtp", { type: "throttled", bytesPerSecond: 20_000 }),
  lasting("smtp", { type: "cut at", text: "\r\n.\r\n", isHandedOn: true }),
  cut("endpoint", "reset"),
  lasting("endpoint", { type: "stalled" }),
  lasting("endpoint", { type: "closed" }),
  lasting("endpoint", { type: "slow", latency: 200 }),
];

const addressOf = (url: string) => {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) };
};

const through = (url: string, { port }: Proxy): string => {
  const there = new URL(url);
  there.host = `127.0.0.1:${port}`;
  return there.href;
};

/** The same world, reached through proxies. */
const wired = async (chat: World): Promise<{ readonly lines: Lines; readonly chat: World }> => {
  const { DATABASE_URL = "", SMTP_URL = "" } = chat.environment;
  const endpoint = chat.receiver.url("tests");
  const lines = {
    postgres: await startProxy(addressOf(inject("postgres"))),
    smtp: await startProxy(addressOf(SMTP_URL)),
    endpoint: await startProxy(addressOf(endpoint)),
  };
  onTestFinished(async () => {
    for (const line of Object.values(lines)) await line[Symbol.asyncDispose]();
  });
  await chat.database.query("update webhook_endpoints set url = $1", [through(endpoint, lines.endpoint)]);
  const environment = {
    ...chat.environment,
    DATABASE_URL: through(DATABASE_URL, lines.postgres),
    SMTP_URL: through(SMTP_URL, lines.smtp),
  };
  return { lines, chat: { ...chat, environment } };
};

test(
  `whatever happens to connections and the database, every message is decided, mailed and posted (SEED=${SEED})`,
  { timeout: 180_000 + STRIKES * 15_000 },
  async () => {
    const { lines, chat } = await wired(await world({ LOG_LEVEL: "error" }));
    using work = await trial(chat, HISTORIES);
    await installGate(chat);
    const running = startAll(chat);
    const struck = await work.during(strike(lines, chat));
    expect(struck).toHaveLength(STRIKES);
    await work.end([running], struck);
  },
);

/** Causes faults one after the other, at moments that the seed draws. None repeats before all have been drawn. */
const strike = async (lines: Lines, chat: World): Promise<readonly string[]> => {
  const dice = random(SEED);
  const struck: string[] = [];
  const draw = deck(dice, troubles);
  while (struck.length < STRIKES) {
    await delay(dice.below(LONGEST)); // a drawn moment, not a wait for a fact
    struck.push(await draw()(lines, chat, dice));
  }
  return struck;
};
