import { crc32 } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { TopicId } from "../../services/platform/contract/topic.ts";
import type { Codec } from "../../services/platform/contract/ports.ts";
import { goneAt, history, turns } from "../support/history.ts";
import { memoryCodec } from "../support/memory.ts";
import { play, START, type Told, type Way } from "../support/play.ts";

let codec: Codec;
beforeAll(async () => {
  codec = await memoryCodec();
});

/** Runs of each property, and the milliseconds for shrinking a failure. The seed of a failure is printed. */
const options = { numRuns: Number(process.env["RUNS"] ?? 60), interruptAfterTimeLimit: 40_000 };

test("the same people are told the same, in order, where a step crashes, fails or is lost", async () => {
  await fc.assert(
    fc.asyncProperty(history, turns, async (moments, drawn) => {
      expect(await play(codec, moments, { turns: drawn })).toEqual(await play(codec, moments));
    }),
    options,
  );
});

describe("records that are not on their key's partition", () => {
  /** Numbers of partitions that a chat product may have chosen, with no relation to the lanes. */
  const uneven = (topic: TopicId): number =>
    new Map<TopicId, number>([
      ["messages", 3],
      ["participants", 5],
      ["conversations", 1],
      ["presence", 7],
      ["users", 2],
    ]).get(topic) ?? 4;

  test.each<readonly [string, Way]>([
    ["by another hash of the key", { place: (key, partitions) => crc32(key) % partitions }],
    ["by topics with other numbers of partitions", { partitions: uneven }],
    ["by both", { partitions: uneven, place: (key, partitions) => crc32(key) % partitions }],
  ])("lead to the same notifications: %s", async (_name, way) => {
    await fc.assert(
      fc.asyncProperty(history, turns, async (moments, drawn) => {
        expect(await play(codec, moments, { ...way, turns: drawn })).toEqual(await play(codec, moments));
      }),
      options,
    );
  });
});

describe("after an outage", () => {
  /** Texts are those of the time of telling: a later one may show an edit. */
  const untold = (told: readonly Told[]) => told.map((each) => ({ ...each, texts: [] }));

  test("the same people are told of the same messages, as of the same moments, as without it", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(6), fc.nat(12), turns, async (moments, from, length, drawn) => {
        const told = await play(codec, moments, { down: [from, from + length], turns: drawn });
        expect(untold(told)).toEqual(untold(await play(codec, moments)));
      }),
      options,
    );
  });

  test("nobody is told of messages that were read or deleted by then, and none is told twice", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(6), fc.nat(12), turns, async (moments, from, length, drawn) => {
        const told = await play(codec, moments, { down: [from, from + length], turns: drawn });
        const about = told.flatMap(({ at, userId, conversationId, messageIds }) =>
          messageIds.map((message) => ({ at, name: `${userId} ${conversationId} ${message}` })),
        );
        const gone = goneAt(moments, START);
        expect(about.filter(({ at, name }) => (gone.get(name) ?? Infinity) <= at)).toEqual([]);
        expect(new Set(about.map(({ name }) => name)).size).toBe(about.length);
      }),
      options,
    );
  });
});
