import kafkajs from "kafkajs";
import { expect, inject } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { nameOfPartition, partitionsOf } from "../../services/platform/contract/topic-partition.ts";
import { cast } from "../../deploy/local/demo/cast.ts";
import { script, TICK } from "../../deploy/local/demo/script.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import { topicIds } from "../../services/domain/topics.ts";
import type { Comparison } from "../../services/ops/rebuild/compare.ts";
import { rebuild, type Rebuilt } from "../../services/ops/rebuild/run.ts";
import { countOf, foldingsOf } from "../../services/ops/rebuild/side.ts";
import type { Switched } from "../../services/ops/rebuild/switch.ts";
import { readWhole } from "../../services/ops/read.ts";
import { parse } from "../../services/platform/app/config.ts";
import { commonVariables } from "../../services/platform/app/variables.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { eventually, PARTITIONS, type World } from "./world.ts";

export const SETTINGS = { timeout: 2 };
const TICKS = 60;
/** Every so manyth record is on another partition than its key's. */
const STRAY_EVERY = 7;

const { Kafka, logLevel } = kafkajs;

/**
 * Publishes some minutes of the demo's chat with their own timestamps, some of it on wrong partitions, and a record
 * that is no Avro.
 */
export const publishPast = async (chat: World, seed: number): Promise<void> => {
  const { opening, tick, closing } = script(cast(), seed);
  const start = Math.floor(Date.now() / TICK) * TICK - (TICKS + 2) * TICK;
  const said: (readonly [number, readonly NewRecord[]])[] = [[start, opening(start)]];
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

/** A preference of a letter's reader for no mail. */
export const unsubscribed = (index: number): NewRecord => {
  const userId = `reader-${index}`;
  const value = { userId, unsubscribed: [`${userId}@example.org`], occurredAt: Date.now() };
  return { topic: "preferences", key: userId, value };
};

const never = new AbortController().signal;

export const rebuilt = async (
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

export const differing = ({ differences, told, moving }: Comparison) => ({
  differences,
  live: told.live,
  rebuilt: told.rebuilt,
  moving,
});
export const nothing = { differences: [], live: [], rebuilt: [], moving: 0 };

/** Each processor's unread records, and the ends of the log's partitions. */
const lagOf = async (chat: World): Promise<readonly [lag: number, ends: string]> => {
  const places = await partitionsOf(chat.log, topicIds);
  const ends = await chat.log.offsets(places);
  const highs = new Map(places.map((place, index) => [nameOfPartition(place), ends[index]?.high ?? 0]));
  const lanes = await chat.database.query<{ cursors: Readonly<Record<string, number>> }>("select cursors from lanes");
  const behind = lanes.flatMap(({ cursors }) =>
    Object.entries(cursors).map(([name, next]) => (highs.get(name) ?? 0) - next),
  );
  const store = postgresStore(chat.database);
  const { done, total } = await countOf({ log: chat.log, store, processors: await foldingsOf(store) });
  return [behind.reduce((sum, count) => sum + count, total - done), JSON.stringify(ends)];
};

/** Resolves when every record is folded, mailed and posted, and no record has come since. */
export const quiet = (chat: World): Promise<void> =>
  eventually(async () => {
    const before = await lagOf(chat);
    const [open] = await chat.database.query(
      `select (select count(*) from jobs where state = 'ready') as jobs, (select count(*) from outbox) as entries,
              (select count(*) from state_inboxes where due < extract(epoch from now()) * 1000 + 86400000) as timers`,
    );
    expect(open).toEqual({ jobs: 0, entries: 0, timers: 0 });
    expect([before[0], await lagOf(chat)]).toEqual([0, before]);
  });

export const triggered = async (chat: World): Promise<readonly NotificationEvent[]> => {
  const events: NotificationEvent[] = [];
  for await (const { value } of readWhole(chat, "notifications")) if (value?.type === "TRIGGERED") events.push(value);
  return events;
};

/** The letters' readers with another number of notifications or mails than one. */
export const tellings = async (chat: World, letters: number) => {
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

export const toldWithoutMail = { reader: "reader-2", told: 1, mails: 0 };

/** The topics, groups and schemas that a rebuild has left behind. */
export const leftovers = async (chat: World): Promise<readonly string[]> => {
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
