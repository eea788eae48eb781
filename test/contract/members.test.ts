import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type TopicPartition, partitionsOf } from "../../services/platform/contract/topic-partition.ts";
import type { Log, Subscription } from "../../services/platform/contract/ports.ts";
import { assigned, endOf, logs, recordsOf, saying, takeRecords, takeUntil, text } from "./log.suite.ts";
import { PARTITIONS } from "../support/world.ts";

const named = (places: readonly TopicPartition[]): readonly string[] =>
  places.map(({ topic, partition }) => `${topic}/${partition}`).toSorted();

/** Resolves with the partitions of two members when they share all: the first member gives up some of its own. */
const shared = async (
  one: Subscription,
  another: Subscription,
  count: number,
): Promise<readonly (readonly TopicPartition[])[]> => {
  for (;;) {
    const [mine, others] = [one.assigned(), another.assigned()];
    if (mine.length > 0 && others.length > 0 && mine.length + others.length === count) return [mine, others];
    await Promise.race([one, another].map((member) => member.arrival(AbortSignal.timeout(100))));
  }
};

/** The contract of a log for its readers (services/platform/contract/ports.ts). Both logs pass. */
describe.each(logs)("a member that reads the log %s", (_name, open) => {
  let log: Log;
  let group: string;
  beforeAll(async () => {
    log = await open();
  });
  beforeEach(() => {
    group = randomUUID();
  });

  test("has every partition of its topics when alone, and the same assignment until it changes", async () => {
    await using member = await log.subscribe(group, ["messages", "users"], PARTITIONS);
    const places = await assigned(member, 4);
    expect(named(places)).toEqual(
      named([...(await partitionsOf(log, ["messages"])), ...(await partitionsOf(log, ["users"]))]),
    );
    expect(member.assigned()).toBe(places);
  });

  test("gets no records before it has sought an offset", async () => {
    await using member = await log.subscribe(group, ["presence"], PARTITIONS);
    await assigned(member, 2);
    member.seek({ topic: "presence", partition: 1 }, await endOf(log, { topic: "presence", partition: 1 }));
    for (let round = 0; round < 3; round++) {
      await log.publish([saying("presence", 0, `unsought ${round}`), saying("presence", 1, `sought ${round}`)]);
      const found = await takeRecords(member, 1);
      expect(found.map(({ value }) => text(value))).toEqual([`sought ${round}`]);
    }
  });

  test("reads from the first record kept, or from an offset, and then new records", async () => {
    const values = ["a", "b", "c", "d"];
    await log.publish(values.map((value) => saying("participants", 0, value)));
    await using member = await log.subscribe(group, ["participants"], PARTITIONS);
    await assigned(member, 2);
    const place: TopicPartition = { topic: "participants", partition: 0 };
    member.seek(place, null);
    expect((await takeRecords(member, 4)).map(({ value }) => text(value))).toEqual(values);
    member.seek(place, 2);
    expect((await takeRecords(member, 2)).map(({ offset }) => offset)).toEqual([2, 3]);
    const later = takeRecords(member, 1);
    await log.publish([saying("participants", 0, "e")]);
    expect((await later).map(({ value, offset }) => [text(value), offset])).toEqual([["e", 4]]);
  });

  test("takes about as many records as it wants, and learns where to go on", async () => {
    await log.publish(Array.from({ length: 20 }, (_none, index) => saying("conversations", 0, `${index}`)));
    await using member = await log.subscribe(group, ["conversations"], PARTITIONS);
    await assigned(member, 2);
    member.seek({ topic: "conversations", partition: 0 }, 0);
    const slices = await takeUntil(member, (some) => recordsOf(some).length >= 20, 3);
    for (const { records, next } of slices) {
      expect(records.length).toBeLessThanOrEqual(3);
      expect(next).toBe((records.at(-1)?.offset ?? 0) + 1);
    }
    expect(recordsOf(slices).map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_none, index) => index));
    expect(member.take(10)).toEqual([]);
  });

  test("gets none of the records that had arrived before it sought anew", async () => {
    await log.publish(Array.from({ length: 50 }, (_none, index) => saying("conversationStrays", 0, `${index}`)));
    await using member = await log.subscribe(group, ["conversationStrays"], PARTITIONS);
    const place: TopicPartition = { topic: "conversationStrays", partition: 0 };
    await assigned(member, 2);
    for (const from of [0, 40, 20, 45, 3]) {
      member.seek(place, from);
      await member.arrival(new AbortController().signal);
      member.seek(place, from + 2);
      const found = await takeRecords(member, 1);
      expect(found[0]?.offset).toBe(from + 2);
    }
  });

  test("waits no longer than its signal", async () => {
    await using member = await log.subscribe(group, ["users"], PARTITIONS);
    await assigned(member, 2);
    const stop = new AbortController();
    const waiting = member.arrival(stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await member.arrival(AbortSignal.abort())).toBeUndefined();
  });

  test("may commit hints, and no member's start depends on them", async () => {
    const place: TopicPartition = { topic: "inboxStrays", partition: 1 };
    await log.publish(["a", "b"].map((value) => saying("inboxStrays", 1, value)));
    {
      await using first = await log.subscribe(group, ["inboxStrays"], PARTITIONS);
      await assigned(first, 2);
      await first.commitHint([{ ...place, offset: 2 }]);
      await first.commitHint([]);
    }
    await using second = await log.subscribe(group, ["inboxStrays"], PARTITIONS);
    await assigned(second, 2);
    second.seek(place, null);
    expect((await takeRecords(second, 2)).map(({ value }) => text(value))).toEqual(["a", "b"]);
  });

  test("shares with another of its group, and has the same partition numbers on each topic", async () => {
    const topics = ["messages", "participants", "inbox"] as const;
    await using one = await log.subscribe(group, topics, PARTITIONS);
    const all = named(await assigned(one, 6));
    const another = await log.subscribe(group, topics, PARTITIONS);
    const [mine = [], others = []] = await shared(one, another, 6);
    expect(named([...mine, ...others])).toEqual(all);
    for (const places of [mine, others]) expect(new Set(places.map(({ partition }) => partition)).size).toBe(1);

    await another[Symbol.asyncDispose]();
    expect(named(await assigned(one, 6))).toEqual(all);
    const place: TopicPartition = { topic: "inbox", partition: others[0]?.partition ?? -1 };
    one.seek(place, await endOf(log, place));
    await log.publish([saying("inbox", place.partition, "for who stayed")]);
    expect((await takeRecords(one, 1)).map(({ value }) => text(value))).toEqual(["for who stayed"]);
  });

  test("has whole lanes, where topics have different numbers of partitions", async () => {
    const uneven = await open({ messages: 5, participants: 1 });
    const topics = ["messages", "participants", "conversationStrays"] as const;
    // Three lanes: neither the members nor the partitions are a multiple of them.
    await using one = await uneven.subscribe(group, topics, 3);
    await assigned(one, 8);
    await using another = await uneven.subscribe(group, topics, 3);
    const lanes = (await shared(one, another, 8)).map(
      (places) => new Set(places.map(({ partition }) => partition % 3)),
    );
    expect(lanes.map(({ size }) => size).reduce((sum, size) => sum + size)).toBe(3);
    expect(new Set(lanes.flatMap((each) => [...each])).size).toBe(3);
  });

  test("has all partitions, whatever other groups have", async () => {
    await using one = await log.subscribe(group, ["deadLetters"], PARTITIONS);
    await using another = await log.subscribe(`${group}-2`, ["deadLetters"], PARTITIONS);
    const places = [...(await assigned(one, 2)), ...(await assigned(another, 2))];
    expect(places).toHaveLength(4);
  });
});
