import type { TopicId } from "../../services/platform/contract/topic.ts";
import type { TopicPartition } from "../../services/platform/contract/topic-partition.ts";
import { memoryLog } from "../../services/platform/memory/log.ts";
import type {
  OffsetRange,
  Log,
  Outgoing,
  RawRecord,
  FetchedRecords,
  Subscription,
} from "../../services/platform/contract/ports.ts";
import { PARTITIONS, testLog } from "../support/world.ts";

/** Topics with another number of partitions than PARTITIONS. */
type Unlike = Partial<Record<TopicId, number>>;

/** The logs under the contract, each with topics of its own. */
export const logs: readonly (readonly [where: string, open: (unlike?: Unlike) => Promise<Log>])[] = [
  ["in memory", (unlike = {}) => Promise.resolve(memoryLog({ now: Date.now }, (topic) => unlike[topic] ?? PARTITIONS))],
  ["in Kafka", async (unlike) => (await testLog(unlike)).log],
];

const never = new AbortController().signal;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const text = (given: Uint8Array | null | undefined): string | null => (given ? decoder.decode(given) : null);

/** A record whose value is the text. */
export const saying = (topic: TopicId, partition: number, value: string, more: Partial<Outgoing> = {}): Outgoing => ({
  topic,
  partition,
  key: "key",
  value: bytes(value),
  ...more,
});

/** The present end of a partition. */
export const endOf = async (log: Log, place: TopicPartition): Promise<number> => {
  const [extent] = await log.offsets([place]);
  return (extent as OffsetRange).high;
};

/** Resolves when the member has partitions. */
export const assigned = async (member: Subscription, count = 1): Promise<readonly TopicPartition[]> => {
  for (;;) {
    const places = member.assigned();
    if (places.length >= count) return places;
    await member.arrival(never);
    // Kafka may report a change for an empty assignment: another one follows.
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Takes records until enough have been taken. */
export const takeUntil = async (
  member: Subscription,
  isEnough: (slices: readonly FetchedRecords[]) => boolean,
  limit = 1_000,
): Promise<readonly FetchedRecords[]> => {
  const slices: FetchedRecords[] = [];
  while (!isEnough(slices)) {
    slices.push(...member.take(limit));
    if (!isEnough(slices)) await member.arrival(never);
    member.assigned();
  }
  return slices;
};

/** Takes records until so many have come; returns all of them in the order of arrival. */
export const takeRecords = async (member: Subscription, count: number, limit?: number): Promise<readonly RawRecord[]> =>
  recordsOf(await takeUntil(member, (slices) => recordsOf(slices).length >= count, limit));

export const recordsOf = (slices: readonly FetchedRecords[]): readonly RawRecord[] =>
  slices.flatMap(({ records }) => records);

/** Reads a partition from an offset to its present end. */
export const read = async (
  log: Log,
  group: string,
  place: TopicPartition,
  from: number | null,
): Promise<readonly RawRecord[]> => {
  await using member = await log.subscribe(group, [place.topic], PARTITIONS);
  await assigned(member, await log.partitions(place.topic));
  const end = await endOf(log, place);
  member.seek(place, from);
  return recordsOf(await takeUntil(member, (slices) => (slices.at(-1)?.next ?? 0) >= end));
};
