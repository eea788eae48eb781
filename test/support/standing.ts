import { expect } from "vitest";
import type { TopicId } from "../../services/platform/contract/topic.ts";
import type { DeadLetter } from "../../services/platform/contract/records.ts";
import type { TopicPartition } from "../../services/platform/contract/topic-partition.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import { conversations } from "../../services/conversations/rule.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { mailer } from "../../services/mailer/rule.ts";
import { readWhole } from "../../services/ops/read.ts";
import { PARTITIONS, type World } from "./world.ts";

/**
 * The progress of the services: by processor, the offset up to which each partition is folded, and the work that is
 * left.
 */
interface Standing {
  readonly cursors: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Unpublished outbox entries, and timers of inboxes that are due. */
  readonly entries: number;
  readonly timers: number;
  /** Mails to be sent. */
  readonly letters: number;
}

type Reader = Readonly<{ name: string; inputs: readonly TopicId[] }>;

const standing = async ({ database }: World): Promise<Standing> => {
  const [found] = await database.query<{
    lanes: readonly { readonly processor: string; readonly cursors: Readonly<Record<string, number>> }[] | null;
    entries: number;
    timers: number;
    letters: number;
  }>(
    `select (select json_agg(l) from lanes l) as lanes, (select count(*) from outbox) as entries,
            (select count(*) from state_inboxes where due < extract(epoch from now()) * 1000) as timers,
            (select count(*) from jobs where queue = 'mail' and state = 'ready') as letters`,
  );
  const cursors: Record<string, Record<string, number>> = {};
  for (const lane of found?.lanes ?? []) cursors[lane.processor] = { ...cursors[lane.processor], ...lane.cursors };
  const { entries = 0, timers = 0, letters = 0 } = found ?? {};
  return { cursors, entries, timers, letters };
};

const placesOf = (topics: readonly TopicId[]): readonly TopicPartition[] =>
  topics.flatMap((topic) => Array.from({ length: PARTITIONS }, (_none, partition) => ({ topic, partition })));

const foldedOf = ({ cursors }: Standing, { name, inputs }: Reader): readonly number[] =>
  placesOf(inputs).map(({ topic, partition }) => cursors[name]?.[`${topic}/${partition}`] ?? 0);

const endsOf = async ({ log }: World, { inputs }: Reader): Promise<readonly number[]> =>
  (await log.offsets(placesOf(inputs))).map(({ high }) => high);

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

/** The share of the chat's records that is folded, from 0 to 1. */
export const progress = async (chat: World): Promise<number> => {
  const now = await standing(chat);
  const readers = [conversations, { ...inboxes, inputs: inboxes.inputs.filter((topic) => topic !== "inbox") }];
  const ends = await Promise.all(readers.map((reader) => endsOf(chat, reader)));
  return sum(readers.flatMap((reader) => foldedOf(now, reader))) / sum(ends.flat());
};

/** Checks that every record so far is folded by conversations, and its outbox published. */
export const expectAllSorted = async (chat: World): Promise<void> => {
  const now = await standing(chat);
  expect([foldedOf(now, conversations), now.entries]).toEqual([await endsOf(chat, conversations), 0]);
};

/** Checks that every record so far is decided: read to the end by both services, with no timer due. */
export const expectAllDecided = async (chat: World): Promise<void> => {
  await expectAllSorted(chat);
  const ends = await endsOf(chat, inboxes);
  const now = await standing(chat);
  expect([foldedOf(now, inboxes), now.entries, now.timers]).toEqual([ends, 0, 0]);
};

/** Checks that every notification so far is mailed, or decided not to be. */
export const expectAllMailed = async (chat: World): Promise<void> => {
  const now = await standing(chat);
  expect([foldedOf(now, mailer), now.entries, now.letters]).toEqual([await endsOf(chat, mailer), 0, 0]);
};

/** Checks that every notification event so far has come to the webhooks service. */
export const expectAllPosted = async (chat: World): Promise<void> => {
  const reader: Reader = { name: "webhooks", inputs: ["notifications"] };
  expect(foldedOf(await standing(chat), reader)).toEqual(await endsOf(chat, reader));
};

/** The events on the notifications topic, each once, at its first place. A repeat must have the same content. */
export const notificationEvents = async (
  chat: World,
): Promise<{ readonly events: readonly NotificationEvent[]; readonly repeats: number }> => {
  const events = new Map<string, NotificationEvent>();
  let records = 0;
  for await (const { value } of readWhole(chat, "notifications")) {
    if (value === null) continue;
    records++;
    const before = events.get(value.id) ?? value;
    expect(value).toEqual(before);
    events.set(value.id, before);
  }
  return { events: [...events.values()], repeats: records - events.size };
};

/** The dead letters of all services, each once. */
export const deadLetters = async (chat: World): Promise<readonly DeadLetter[]> => {
  const letters = new Map<string, DeadLetter>();
  for await (const { value } of readWhole(chat, "deadLetters")) if (value !== null) letters.set(value.id, value);
  return [...letters.values()];
};
