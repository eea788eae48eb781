import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import kafkajs from "kafkajs";
import { expect, inject, test } from "vitest";
import { cast } from "../../deploy/local/demo/cast.ts";
import { script, TICK } from "../../deploy/local/demo/script.ts";
import { laneOf } from "../../services/core/lane.ts";
import type { NotificationEvent } from "../../services/core/records.ts";
import { topicIds } from "../../services/core/topics.ts";
import { standingKey, threadKey } from "../../services/inboxes/parts.ts";
import type { Comparison } from "../../services/ops/rebuild/compare.ts";
import { isEqual } from "../../services/ops/rebuild/compare.ts";
import { rebuild, type Rebuilt } from "../../services/ops/rebuild/run.ts";
import { countOf, placesOf } from "../../services/ops/rebuild/side.ts";
import type { Switched } from "../../services/ops/rebuild/switch.ts";
import { readWhole } from "../../services/ops/read.ts";
import { parse } from "../../services/runtime/config.ts";
import type { Said } from "../../services/runtime/producer.ts";
import { placeName } from "../../services/runtime/frontier.ts";
import { commonVariables } from "../../services/runtime/settings.ts";
import { postgresStore } from "../../services/runtime/store.ts";
import { letter } from "../support/letters.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";

const SETTINGS = { timeout: 2 };
const TICKS = 60;
/** A record in so many is on another partition than its key's. */
const STRAY_EVERY = 7;

const { Kafka, logLevel } = kafkajs;

/** Some minutes of the demo's chat, logged when they happened; some of it astray, and something nobody can read. */
const publishPast = async (chat: World, seed: number): Promise<void> => {
  const { opening, tick, closing } = script(cast(), seed);
  const start = Math.floor(Date.now() / TICK) * TICK - (TICKS + 2) * TICK;
  const said: (readonly [number, readonly Said[]])[] = [[start, opening(start)]];
  for (let at = start + TICK; at < start + TICKS * TICK; at += TICK) said.push([at, tick(at)]);
  said.push([start + TICKS * TICK, closing(start + TICKS * TICK)]);
  const records = said.flatMap(([timestamp, some]) => some.map((one) => ({ ...one, timestamp })));
  await chat.log.publish(
    records.map(({ topic, key, value, timestamp }, index) => ({
      topic,
      key,
      timestamp,
      value: value === null ? null : chat.codec.encode(topic, value),
      partition: (laneOf(key, PARTITIONS) + (index % STRAY_EVERY === 0 ? 1 : 0)) % PARTITIONS,
    })),
  );
  const junk = { topic: "messages", key: "launch", value: Buffer.from("junk"), timestamp: start } as const;
  await chat.log.publish([junk]);
};

/** Milliseconds between two letters: neither a burst nor so few that none is under way at a moment. */
const LETTER_EVERY = 50;

/** Writes again and again until disposed of. */
const writeOn = (write: () => Promise<void>): AsyncDisposable => {
  const end = new AbortController();
  const writing = (async () => {
    while (!end.signal.aborted) {
      await write();
      await delay(LETTER_EVERY);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await writing;
    },
  };
};

const never = new AbortController().signal;

const rebuilt = async (
  chat: World,
  more: { readonly isToSwitch?: boolean; readonly compared?: () => void; readonly signal?: AbortSignal } = {},
): Promise<Rebuilt & { readonly switched: Switched | null }> => {
  const found: Rebuilt[] = [];
  const { isToSwitch = false, compared = () => undefined, signal = never } = more;
  const switched = await rebuild(parse(commonVariables, chat.environment), {
    isToSwitch,
    signal,
    progress: { show: () => undefined, [Symbol.dispose]: () => undefined },
    compared(one) {
      found.push(one);
      compared();
    },
  });
  const [comparison] = found;
  if (comparison === undefined) throw new Error("nothing was compared");
  return { ...comparison, switched };
};

const differing = ({ differences, told, moving }: Comparison) => ({
  differences,
  live: told.live,
  rebuilt: told.rebuilt,
  moving,
});
const nothing = { differences: [], live: [], rebuilt: [], moving: 0 };

/** Where each processor has still to go, and where the log's places end. */
const lagOf = async (chat: World): Promise<readonly [lag: number, ends: string]> => {
  const places = await placesOf(chat.log, topicIds);
  const ends = await chat.log.extents(places);
  const highs = new Map(places.map((place, index) => [placeName(place), ends[index]?.high ?? 0]));
  const lanes = await chat.database.query<{ cursors: Readonly<Record<string, number>> }>("select cursors from lanes");
  const behind = lanes.flatMap(({ cursors }) =>
    Object.entries(cursors).map(([name, next]) => (highs.get(name) ?? 0) - next),
  );
  const { done, total } = await countOf({ log: chat.log, store: postgresStore(chat.database) });
  return [behind.reduce((sum, count) => sum + count, total - done), JSON.stringify(ends)];
};

/** All is folded, said, sent and posted: nothing was open when all was read, and nothing has come since. */
const quiet = (chat: World): Promise<void> =>
  eventually(async () => {
    const before = await lagOf(chat);
    const [open] = await chat.database.query(
      `select (select count(*) from jobs where state = 'ready') as jobs, (select count(*) from outbox) as entries,
              (select count(*) from state_inboxes where due < extract(epoch from now()) * 1000 + 86400000) as timers`,
    );
    expect(open).toEqual({ jobs: 0, entries: 0, timers: 0 });
    expect([before[0], await lagOf(chat)]).toEqual([0, before]);
  });

const triggered = async (chat: World): Promise<readonly NotificationEvent[]> => {
  const events: NotificationEvent[] = [];
  for await (const { value } of readWhole(chat, "notifications")) if (value?.type === "TRIGGERED") events.push(value);
  return events;
};

/** Who of the letters' readers was told how often, on the log and by mail. */
const tellings = async (chat: World, letters: number) => {
  const events = await triggered(chat);
  const mails = chat.mailbox.mails();
  return Array.from({ length: letters }, (_none, index) => {
    const reader = `reader-${index}`;
    return {
      reader,
      told: events.filter(({ userId }) => userId === reader).length,
      mails: mails.filter(({ to }) => to.includes(`${reader}@example.org`)).length,
    };
  }).filter(({ told, mails: sent }) => told !== 1 || sent !== 1);
};

const extents = async (chat: World) => chat.log.extents(await placesOf(chat.log, topicIds));

/** What a rebuild may leave behind: topics, groups, schemas. */
const leftovers = async (chat: World): Promise<readonly string[]> => {
  const admin = new Kafka({ brokers: inject("kafka").split(","), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const names = [...(await admin.listTopics()), ...(await admin.listGroups()).groups.map(({ groupId }) => groupId)];
  await admin.disconnect();
  const schemas = await chat.database.query<{ name: string }>("select nspname as name from pg_namespace");
  return [
    ...names.filter((name) => name.startsWith(chat.prefix) && name.includes("rebuild")),
    ...schemas.map(({ name }) => name).filter((name) => name.includes("rebuild")),
  ];
};

test("a rebuild comes to what live is, tells nobody, and leaves nothing behind", { timeout: 120_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 1);
  await using _ = chat.serve();
  await quiet(chat);
  const before = { extents: await extents(chat), mails: chat.mailbox.mails().length };
  expect(before.mails).toBeGreaterThan(0);
  const found = await rebuilt(chat);
  expect(differing(found)).toEqual(nothing);
  expect(isEqual(found)).toBe(true);
  expect(found.told.both).toBe((await triggered(chat)).length);
  expect(found.kinds.map(({ kind, rows }) => [kind, rows > 0])).toEqual(
    ["conversation", "recent", "message", "profile", "user", "thread"].map((kind) => [kind, true]),
  );
  expect(found.live.isStill).toBe(false);
  expect({ extents: await extents(chat), mails: chat.mailbox.mails().length }).toEqual(before);
  expect(await leftovers(chat)).toEqual([]);
});

test("a row that is wrong is named, and right after a switch", { timeout: 90_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 2);
  await chat.publish(...letter(0));
  await using _ = chat.serve();
  await quiet(chat);
  const key = threadKey("reader-0", "letter-0");
  const row = () => chat.database.query("select value, due from state_inboxes where key = $1", [key]);
  const right = await row();
  await chat.database.query(
    `update state_inboxes set value = jsonb_set(value::jsonb, '{readUntil}', '7')::json where key = $1`,
    [key],
  );
  await chat.database.query("grant select on state_inboxes to public");
  const gone = standingKey("reader-0");
  await chat.database.query("delete from state_inboxes where key = $1", [gone]);
  const found = await rebuilt(chat);
  expect(found.differences.map(({ kind, key: name, where }) => [kind, name, where])).toEqual([
    ["user", gone, ["live has none"]],
    ["thread", key, ["readUntil: 7 | -1"]],
  ]);
  expect({ live: found.told.live, rebuilt: found.told.rebuilt }).toEqual({ live: [], rebuilt: [] });

  const switched = await rebuilt(chat, { isToSwitch: true });
  expect(switched.differences).toHaveLength(2);
  expect(switched.switched).toMatchObject({ notifications: 0 });
  expect(await row()).toEqual(right);
  const [{ granted } = { granted: "" }] = await chat.database.query<{ granted: string }>(
    "select relacl::text as granted from pg_class where oid = 'state_inboxes'::regclass",
  );
  expect(granted).toMatch(/,=r\//);
  const told = (await triggered(chat)).length;
  await chat.publish(...letter(1));
  await eventually(async () => expect(await tellings(chat, 2)).toEqual([]));
  await quiet(chat);
  expect(differing(await rebuilt(chat))).toEqual(nothing);
  expect(await triggered(chat)).toHaveLength(told + 1);
  expect(await leftovers(chat)).toEqual([]);
});

test("a switch under way loses no message and repeats none", { timeout: 90_000 }, async () => {
  const chat = await world({}, SETTINGS);
  await publishPast(chat, 3);
  await using _ = chat.serve();
  await quiet(chat);
  let letters = 0;
  {
    await using _writing = writeOn(async () => chat.publish(...letter(letters++)));
    let atCompared = 0;
    const { switched, ...found } = await rebuilt(chat, { isToSwitch: true, compared: () => (atCompared = letters) });
    const atSwitched = letters;
    expect(differing(found)).toEqual(nothing);
    expect(switched).not.toBeNull();
    expect(atSwitched).toBeGreaterThan(atCompared);
    await eventually(() => expect(letters).toBeGreaterThan(atSwitched + 10));
  }
  await eventually(async () => expect(await tellings(chat, letters)).toEqual([]));
  await quiet(chat);
  expect(await tellings(chat, letters)).toEqual([]);
  const ids = (await triggered(chat)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(differing(await rebuilt(chat))).toEqual(nothing);
});

test(
  "where live stands still, what it has decided is compared, and a switch says the rest",
  { timeout: 240_000 },
  async () => {
    const chat = await world({}, SETTINGS);
    await publishPast(chat, 4);
    await chat.publish(...letter(0));
    {
      await using _ = chat.serve();
      await quiet(chat);
    }
    await chat.publish(...letter(1), ...letter(2));
    const found = await rebuilt(chat, { isToSwitch: true });
    expect(found).toMatchObject({ live: { isStill: true }, switched: { notifications: 2 } });
    expect(found.lag).toBe(8);
    expect(found.ahead).toBeGreaterThan(0);
    expect(differing(found)).toEqual(nothing);
    await using _ = chat.serve();
    await eventually(async () => expect(await tellings(chat, 3)).toEqual([]));
    await quiet(chat);
    expect(await tellings(chat, 3)).toEqual([]);
    expect(differing(await rebuilt(chat))).toEqual(nothing);
  },
);

const main = fileURLToPath(new URL("../../services/ops/main.ts", import.meta.url));

/** `ops rebuild` in a process of its own, and what it says. */
const ops = ({ environment }: World, ...args: readonly string[]) => {
  const env = { ...process.env, ...environment };
  const child: ChildProcess = spawn(process.execPath, [main, "rebuild", ...args], { env, stdio: "pipe" });
  const said = { out: "", err: "" };
  child.stdout?.on("data", (text) => (said.out += String(text)));
  child.stderr?.on("data", (text) => (said.err += String(text)));
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, said, ended };
};

test(
  "the command says what it found by its exit code, and takes everything away when stopped",
  { timeout: 180_000 },
  async () => {
    const chat = await world({}, SETTINGS);
    await publishPast(chat, 5);
    await using _ = chat.serve();
    await quiet(chat);
    const equal = ops(chat, "--json");
    expect([await equal.ended, equal.said.err.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/^folding \[.* left$/),
    ]);
    expect(JSON.parse(equal.said.out)).toMatchObject({ isEqual: true, differences: [], switched: null });

    const killed = ops(chat);
    await eventually(() => expect(killed.said.err).toContain("folding ["));
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(await leftovers(chat)).toContain("whileaway_rebuild");

    await chat.database.query("delete from state_conversations where key like 'c%launch'");
    const different = ops(chat);
    expect(await different.ended).toBe(1);
    expect(different.said.out).toContain("conversation c launch (lane 0): live has none\n");
    expect(await leftovers(chat)).toEqual([]);

    const stopped = ops(chat);
    await eventually(() => expect(stopped.said.err).toContain("folding ["));
    stopped.child.kill("SIGINT");
    expect([await stopped.ended, stopped.said.err]).toEqual([130, expect.stringMatching(/ops rebuild: stopped\n$/)]);
    expect(await leftovers(chat)).toEqual([]);

    const misused = ops(chat, "--swich");
    expect([await misused.ended, misused.said.err]).toEqual([
      2,
      expect.stringContaining("what it takes: ops rebuild --help"),
    ]);
  },
);
