import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { type Random, random } from "../../deploy/local/demo/random.ts";
import { LATENESS } from "../../services/domain/log-record.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import type { TopicId } from "../../services/domain/topics.ts";
import { message, participant, presence, user } from "../support/chat.ts";
import { letter } from "../support/letters.ts";
import { notificationEvents } from "../support/standing.ts";
import { eventually, PARTITIONS, type TestLog, type World, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { client } from "./raw.ts";
import { trial } from "./trial.ts";
import { IS_WHOLE, SEED } from "./trouble.ts";

const HISTORIES = IS_WHOLE ? 600 : 30;

/** What services repeat where nothing but records is wrong. */
const NOTHING_AGAIN = [{ events: 0, mails: 0, webhooks: 0 }, 0];

/** Topics of which a repeat says what was said before; the others' latest record holds, whatever came before it. */
const TOLD_ONCE: readonly TopicId[] = ["messages", "participants", "presence"];

/** Every fifth is said twice at once, and every fifth again when all is said, with the times that it had. */
const repeated = (dice: Random, said: readonly NewRecord[]): readonly NewRecord[] => {
  const atOnce = said.flatMap((one) => (dice.below(5) === 0 ? [one, one] : [one]));
  const last = new Map(said.map((one) => [subjectOf(one), one]));
  const again = said.filter(
    (one) => TOLD_ONCE.includes(one.topic) && last.get(subjectOf(one)) === one && dice.below(5) === 0,
  );
  return [...atOnce, ...again];
};

/** Of two that speak of one person and time, the one that the log has last holds: to say the first again says something new. */
const subjectOf = ({ topic, key, value }: NewRecord): string => {
  const whose =
    value !== null && "userId" in value ? value.userId : value !== null && "messageId" in value ? value.messageId : "";
  return JSON.stringify([topic, key, whose, value !== null && "occurredAt" in value ? value.occurredAt : null]);
};

test(`what is said twice, at once or long after, counts once (SEED=${SEED})`, { timeout: 900_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" });
  const dice = random(SEED);
  using work = await trial(chat, HISTORIES, { disturb: (past) => repeated(dice, past) });
  const running = startAll(chat);
  await work.during(someMails(chat));
  // Letters, too: each of the first again, as it was, while others are written.
  await work.during(chat.publish(...Array.from({ length: 10 }, (_none, index) => letter(index)).flat()));
  const { again, reruns } = await work.end([running], ["every fifth record twice at once, every fifth again"]);
  expect([again, reruns]).toEqual(NOTHING_AGAIN);
});

/** Resolves when twenty mails more have come. */
const someMails = async ({ mailbox }: World): Promise<void> => {
  const before = mailbox.mails().length;
  await eventually(() => expect(mailbox.mails().length).toBeGreaterThan(before + 20));
};

test("what comes late, within the hour, and before what it hangs on, is told like anything else", async () => {
  const chat = await world({ LOG_LEVEL: "error" });
  await using _ = chat.serve();
  const reversed = (index: number, late: number): readonly NewRecord[] => {
    const said = { occurredAt: Date.now() - late };
    const [room, reader] = [`late-${index}`, `late-reader-${index}`];
    return [
      user(reader, "0:00", said),
      message(room, "writer", "m", "0:00", said),
      participant(room, "writer", "0:00", said),
      participant(room, reader, "0:00", said),
    ];
  };
  const lates = [0, SECOND, MINUTE, 10 * MINUTE, LATENESS - MINUTE];
  for (const [index, late] of lates.entries()) {
    // One at a time: the log has each before the next is said.
    for (const one of reversed(index, late)) await chat.publish(one);
  }
  await eventually(async () => {
    const { events } = await notificationEvents(chat);
    const told = events.filter(({ type }) => type === "SENT").map(({ userId }) => userId);
    expect(told.toSorted()).toEqual(lates.map((_late, index) => `late-reader-${index}`));
  });
});

/** Seconds. */
const TIMEOUT = 3;

test("nobody is told early by a time in the future, and nothing waits for it", { timeout: 120_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" }, { timeout: TIMEOUT });
  await using _ = chat.serve();
  await allowAnyTime(chat);
  const began = Date.now();
  const FUTURES = [50 * MINUTE, HOUR, DAY, 20 * 365 * DAY];
  // On every partition, records that say they are of the future: by their own time, and by the log's.
  const rooms = FUTURES.flatMap((ahead, index) =>
    ["own", "log"].map((whose) => ({ ahead, whose, room: `${whose}-${index}`, reader: `reader-${whose}-${index}` })),
  );
  for (const { ahead, whose, room, reader } of rooms) {
    const then = Date.now() + ahead;
    const said = { occurredAt: then };
    const all = [
      user(reader, "0:00", said),
      participant(room, reader, "0:00", said),
      participant(room, "writer", "0:00", said),
      presence(reader, "READ", "0:00", { ...said, conversationId: "another" }),
      message(room, "writer", "m", "0:00", said),
    ];
    // The broker takes a moment until it allows it; what it has taken already counts once.
    await eventually(() => chat.publish(...all.map((one) => (whose === "own" ? one : { ...one, timestamp: then }))));
  }
  expect(partitionsOf(rooms.filter(({ whose }) => whose === "log").map(({ room }) => room))).toEqual([0, 1]);
  expect(partitionsOf(rooms.filter(({ whose }) => whose === "log").map(({ reader }) => reader))).toEqual([0, 1]);

  // What comes behind them is of the present: who reads in time is not told, whoever doesn't is.
  const readers = Array.from({ length: 8 }, (_none, index) => `reader-${index}`);
  const now = { occurredAt: Date.now() };
  for (const reader of readers)
    await chat.publish(
      user(reader, "0:00", now),
      participant(`of ${reader}`, reader, "0:00", now),
      message(`of ${reader}`, "writer", "m", "0:00", now),
    );
  const [reading, absent] = [readers.slice(0, 4), readers.slice(4)];
  for (const reader of reading)
    await chat.publish(
      presence(reader, "READ", "0:00", { occurredAt: Date.now(), conversationId: `of ${reader}`, readUntil: null }),
    );
  const wanted = [...absent, ...rooms.map(({ reader }) => reader)].toSorted();
  await eventually(async () => {
    const told = (await notificationEvents(chat)).events.filter(({ type }) => type === "SENT");
    expect(told.map(({ userId }) => userId).toSorted()).toEqual(wanted);
  });
  await delay(TIMEOUT * SECOND); // whoever read was not to be told by now
  const { events } = await notificationEvents(chat);
  const told = events.filter(({ type }) => type === "TRIGGERED");
  expect(told.map(({ userId }) => userId).toSorted()).toEqual(wanted);
  for (const { occurredAt } of told) {
    expect(occurredAt).toBeGreaterThanOrEqual(began + TIMEOUT * SECOND);
    expect(occurredAt).toBeLessThanOrEqual(Date.now());
  }
});

const partitionsOf = (keys: readonly string[]): readonly number[] =>
  [...new Set(keys.map((key) => laneOf(key, PARTITIONS)))].toSorted((a, b) => a - b);

const admin = async () => {
  const made = client().admin();
  await made.connect();
  onTestFinished(() => made.disconnect());
  return made;
};

const CHAT: readonly TopicId[] = ["messages", "participants", "conversations", "presence", "users"];
/** Kafka's ConfigResource.Type. */
const TOPIC = 2;

/** As brokers before Kafka 4 were: a producer's clock may be years ahead. */
const allowAnyTime = async ({ log }: TestLog): Promise<void> => {
  const configEntries = [{ name: "message.timestamp.after.max.ms", value: String(2n ** 63n - 1n) }];
  const resources = CHAT.map((topic) => ({ type: TOPIC, name: log.nameOf(topic), configEntries }));
  await (await admin()).alterConfigs({ validateOnly: false, resources });
};

const GROUPS = {
  conversations: "messages",
  inboxes: "inbox",
  mailer: "notifications",
  webhooks: "notifications",
} as const;

const groupsOf = ({ prefix }: TestLog) =>
  Object.entries(GROUPS).map(([name, topic]) => ({ groupId: `${prefix}whileaway.${name}`, topic }));

/** Of each group at once: for a moment, whoever moves it is in it. */
const moveTo = async (chat: TestLog, offset: string): Promise<void> => {
  const kafka = await admin();
  const partitions = Array.from({ length: PARTITIONS }, (_none, partition) => ({ partition, offset }));
  await Promise.all(
    groupsOf(chat).map(({ groupId, topic }) =>
      kafka.setOffsets({ groupId, topic: chat.log.nameOf(topic), partitions }),
    ),
  );
};

/** What an operator, or a mishap, may do to a group while nobody is in it. */
const moves = {
  "at the beginning": (chat: TestLog) => moveTo(chat, "0"),
  "far ahead": (chat: TestLog) => moveTo(chat, "9999999"),
  gone: async (chat: TestLog) =>
    void (await (await admin()).deleteGroups(groupsOf(chat).map(({ groupId }) => groupId))),
};

test(
  `wherever Kafka thinks that a group is, it goes on where its lanes are, and repeats nothing (SEED=${SEED})`,
  { timeout: 900_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" });
    using work = await trial(chat, HISTORIES);
    for (const move of Object.values(moves)) {
      const { child, end } = startAll(chat);
      await work.during(someMails(chat));
      child.kill("SIGTERM");
      expect(await end).toEqual({ code: 0, signal: null });
      // What is written while nobody reads is between where Kafka thinks they are, and where they are.
      await work.during(eventually(() => move(chat)));
    }
    const { again, reruns } = await work.end([startAll(chat)], Object.keys(moves));
    expect([again, reruns]).toEqual(NOTHING_AGAIN);
  },
);
