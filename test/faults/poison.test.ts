import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { DeadLetter } from "../../services/platform/contract/records.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import { topics } from "../../services/domain/topics.ts";
import { deadLetters, expectAllDecided, expectAllMailed, notificationEvents } from "../support/standing.ts";
import { eventually, PARTITIONS, type World, world } from "../support/world.ts";
import { letter, lettersTold } from "../support/letters.ts";
import { bombs, type Hostile, spoiltBytes, spoiltEvents, spoiltFields, spoiltHeaders, spoiltKeys } from "./hostile.ts";
import { odd } from "./odd.ts";
import { type Running, startAll } from "./processes.ts";
import { type Raw, rawProducer } from "./raw.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 400 : 30;

type Placed = Hostile & Raw & { readonly offset: number };

/** Checks that each record lies byte for byte with the dead letters of its readers, with the reason. */
const expectKept = (letters: readonly DeadLetter[], placed: readonly Placed[]): void => {
  const found = new Map(letters.map((one) => [nameOf(one.processor, one), one]));
  const named = placed.flatMap((one) =>
    one.by.map((processor) => [nameOf(processor, { ...one, topic: topics[one.topic].name }), one] as const),
  );
  expect(named.filter(([name]) => !found.has(name)).map(([name, { what }]) => `${name}: ${what}`)).toEqual([]);
  for (const [name, { what, key, value, reason }] of named) {
    const dead = found.get(name);
    expect([what, dead?.reason]).toEqual([what, expect.stringMatching(reason)]);
    expect(dead?.key && Buffer.from(dead.key)).toEqual(key);
    const kept = dead?.isWhole === true ? value : value?.subarray(0, dead?.value?.length);
    expect(Buffer.compare(dead?.value ?? Buffer.alloc(0), kept ?? Buffer.alloc(0))).toBe(0);
  }
};

/** A record refused on another partition than its key's is a stray there, and lies with the dead letters as a stray. */
const isAtHome = ({ key, partition }: Placed): boolean =>
  key === null || !/^hostile$|^another$/.test(key.toString()) || laneOf(key.toString(), PARTITIONS) === partition;

const nameOf = (
  processor: string,
  { topic, partition, offset }: Pick<DeadLetter, "topic" | "partition" | "offset">,
): string => `${processor} ${topic}/${partition} ${offset}`;

test(
  `a partition goes on behind any hostile record, and the record lies with the dead letters (SEED=${SEED})`,
  { timeout: 150_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" });
    using work = await trial(chat, HISTORIES);
    const put = await rawProducer(chat);
    const running = startAll(chat);
    const hostile = [
      ...spoiltBytes(chat),
      ...spoiltKeys(chat),
      ...spoiltFields(chat),
      ...spoiltHeaders(),
      ...(await bombs(chat)),
    ];
    const placed = hostile.flatMap((one) =>
      Array.from({ length: PARTITIONS }, (_none, partition): Hostile & Raw => ({ ...one, partition })),
    );
    const offsets = await work.during(put(placed));
    const dead = placed.flatMap(({ by }) => by).length;
    const { again } = await work.end([running], [`${placed.length} records that nobody can take`], dead);
    expect(again).toEqual({ events: 0, mails: 0, webhooks: 0 });
    expectKept(
      await deadLetters(chat),
      placed.map((one, index) => ({ ...one, offset: offsets[index] ?? -1 })).filter(isAtHome),
    );
  },
);

/** Writes letters after all records so far, and waits until each is mailed. */
const expectLetters = async (chat: World, count: number): Promise<void> => {
  await chat.publish(...Array.from({ length: count }, (_none, index) => letter(index)).flat());
  const wanted = lettersTold(count).map(({ userId }) => `${userId}@example.org`);
  await eventually(() => expect(addressees(chat)).toEqual(expect.arrayContaining(wanted)));
};

const addressees = ({ mailbox }: World): readonly string[] => mailbox.mails().flatMap(({ to }) => to);

/** Peak memory of a process, in bytes. */
const peakOf = ({ child }: Running): number =>
  1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);

test("messages with unusual ids, texts, times and sizes are mailed like any others", { timeout: 150_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" });
  const running = startAll(chat);
  await expectLetters(chat, 1);
  const all = odd();
  for (const { said } of all) await chat.publish(...said);
  await expectLetters(chat, 8);
  const told = all.filter(({ isTold }) => isTold);
  const wanted = told.flatMap(({ said }) =>
    said.flatMap(({ topic, value }) => (topic === "users" ? (value?.emails?.at(-1) ?? []) : [])),
  );
  await eventually(() => expect(wanted.filter((address) => !addressees(chat).includes(address))).toEqual([]));
  await eventually(() => expectAllDecided(chat));
  await eventually(() => expectAllMailed(chat));
  const { events } = await notificationEvents(chat);
  const readers = new Set(all.map(({ reader }) => reader));
  const triggered = events.filter(({ type, userId }) => type === "TRIGGERED" && readers.has(userId));
  expect(triggered.map(({ userId }) => userId).toSorted()).toEqual(told.map(({ reader }) => reader).toSorted());
  expect(await deadLetters(chat)).toEqual([]);
  const peak = peakOf(running);
  console.log(`${all.length} strange things: ${Math.round(peak / 1024 / 1024)} MB at most`);
  expect(peak).toBeLessThan(1024 * 1024 * 1024);
  running.child.kill("SIGTERM");
  expect(await running.end).toEqual({ code: 0, signal: null });
});

test("a notification event that can't be saved lies with the dead letters, and the next one is told", async () => {
  const chat = await world({ LOG_LEVEL: "error" });
  await using _ = chat.serve();
  const put = await rawProducer(chat);
  const placed = spoiltEvents(chat).map((one) => ({ ...one, partition: 0 }));
  const offsets = await put(placed);
  await expectLetters(chat, 4);
  await eventually(async () => {
    const letters = await deadLetters(chat);
    expect(letters).toHaveLength(placed.flatMap(({ by }) => by).length);
    expectKept(
      letters,
      placed.map((one, index) => ({ ...one, offset: offsets[index] ?? -1 })),
    );
  });
});
