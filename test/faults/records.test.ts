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

/** The repeats of a run with no fault but that of its records: none. */
const NOTHING_AGAIN = [{ events: 0, mails: 0, webhooks: 0 }, 0];

/** Topics where a repeated record changes nothing. On the others the latest record holds, whatever came before it. */
const TOLD_ONCE: readonly TopicId[] = ["messages", "participants", "presence"];

/** Repeats every fifth record at once, and every fifth at the end, with the times that it had. */
const repeated = (dice: Random, said: readonly NewRecord[]): readonly NewRecord[] => {
  const atOnce = said.flatMap((one) => (dice.below(5) === 0 ? [one, one] : [one]));
  const last = new Map(said.map((one) => [subjectOf(one), one]));
  const again = said.filter(
    (one) => TOLD_ONCE.includes(one.topic) && last.get(subjectOf(one)) === one && dice.below(5) === 0,
  );
  return [...atOnce, ...again];
};

/**
 * The subject of a record. Of two records about one subject and time the log's last holds, so a repeat of the first
 * would change something.
 */
const subjectOf = ({ topic, key, value }: NewRecord): string => {
  const whose =
    value !== null && "userId" in value ? value.userId : value !== null && "messageId" in value ? value.messageId : "";
  return JSON.stringify([topic, key, whose, value !== null && "occurredAt" in value ? value.occurredAt : null]);
};

test(`records that come twice, at once or long after, count once (SEED=${SEED})`, { timeout: 900_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" });
  const dice = random(SEED);
  using work = await trial(chat, HISTORIES, { disturb: (past) => repeated(dice, past) });
  const running = startAll(chat);
  await work.during(someMails(chat));
  // Letters too: each of the first is repeated unchanged while others are written.
  await work.during(chat.publish(...Array.from({ length: 10 }, (_none, index) => letter(index)).flat()));
  const { again, reruns } = await work.end([running], ["every fifth record twice at once, every fifth again"]);
  expect([again, reruns]).toEqual(NOTHING_AGAIN);
});

/** Resolves when twenty more mails have come. */
const someMails = async ({ mailbox }: World): Promise<void> => {
  const before = mailbox.mails().length;
  await eventually(() => expect(mailbox.mails().length).toBeGreaterThan(before + 20));
};

test("records that come late, within the hour, or before the records they refer to, are told like any others", async () => {
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
    // One at a time: each record is on the log before the next is published.
    for (const one of reversed(index, late)) await chat.publish(one);
  }
  await eventually(async () => {
    const { events } = await notificationEvents(chat);
    const told = events.filter(({ type }) => type === "SENT").map(({ userId }) => userId);
    expect(told.toSorted()).toEqual(lates.map((_late, index) => `late-reader-${index}`));
  });
});

/** Seconds of the settings' times. */
const TIMEOUT = 3;

test("a time in the future tells nobody early, and nothing waits for it", { timeout: 120_000 }, async () => {
  const chat = await world({ LOG_LEVEL: "error" }, { timeout: TIMEOUT });
  await using _ = chat.serve();
  await allowAnyTime(chat);
  const began = Date.now();
  const FUTURES = [50 * MINUTE, HOUR, DAY, 20 * 365 * DAY];
  // Records from the future on every partition: by their own time, and by the log's.
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
    // The broker takes a moment to allow it. A record that it has taken already counts once.
    await eventually(() => chat.publish(...all.map((one) => (whose === "own" ? one : { ...one, timestamp: then }))));
  }
  expect(partitionsOf(rooms.filter(({ whose }) => whose === "log").map(({ room }) => room))).toEqual([0, 1]);
  expect(partitionsOf(rooms.filter(({ whose }) => whose === "log").map(({ reader }) => reader))).toEqual([0, 1]);

  // The records behind them are of the present: a reader who read in time is not told, the others are.
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
  await delay(TIMEOUT * SECOND); // a reader who has read must not have been told by now
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

/** Allows any timestamp, as brokers before Kafka 4 did: a producer's clock may be years ahead. */
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

/** Moves the offsets of each group in parallel: a group has a member for a moment while its offsets are moved. */
const moveTo = async (chat: TestLog, offset: string): Promise<void> => {
  const kafka = await admin();
  const partitions = Array.from({ length: PARTITIONS }, (_none, partition) => ({ partition, offset }));
  await Promise.all(
    groupsOf(chat).map(({ groupId, topic }) =>
      kafka.setOffsets({ groupId, topic: chat.log.nameOf(topic), partitions }),
    ),
  );
};

/** Changes that an operator, or a mishap, may make to the offsets of a group without members. */
const moves = {
  "at the beginning": (chat: TestLog) => moveTo(chat, "0"),
  "far ahead": (chat: TestLog) => moveTo(chat, "9999999"),
  gone: async (chat: TestLog) =>
    void (await (await admin()).deleteGroups(groupsOf(chat).map(({ groupId }) => groupId))),
};

test(
  `wherever Kafka's offsets of a group are, it resumes from its lanes' cursors and repeats nothing (SEED=${SEED})`,
  { timeout: 900_000 },
  async () => {
    const chat = await world({ LOG_LEVEL: "error" });
    using work = await trial(chat, HISTORIES);
    for (const move of Object.values(moves)) {
      const { child, end } = startAll(chat);
      await work.during(someMails(chat));
      child.kill("SIGTERM");
      expect(await end).toEqual({ code: 0, signal: null });
      // Letters written while nobody reads lie between Kafka's offsets and the lanes' cursors.
      await work.during(eventually(() => move(chat)));
    }
    const { again, reruns } = await work.end([startAll(chat)], Object.keys(moves));
    expect([again, reruns]).toEqual(NOTHING_AGAIN);
  },
);
