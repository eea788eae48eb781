import { product } from "../../../domain/topics.ts";
import { expect, test } from "vitest";
import { mailer } from "../../../mailer/rule.ts";
import { topology } from "../../memory/topology.ts";
import { memoryCodec } from "../../../../test/support/memory.ts";
import { topicWatermark, hasReached } from "./flow-watermark.ts";

const START = 1_000_000;

/** Answers questions when it is told to; `asked` counts them. */
const slow = () => {
  const waiting: ((at: number) => void)[] = [];
  let asked = 0;
  return {
    pace: () => {
      asked += 1;
      return new Promise<number>((resolve) => waiting.push(resolve));
    },
    answer: (at: number) => waiting.shift()?.(at),
    asked: () => asked,
  };
};

test("a topic's pace is the time of the question by which all that the topic had is folded", async () => {
  await using chat = topology(product, await memoryCodec(), START, () => 2);
  await chat.process(mailer);
  let now = 10;
  const pace = await topicWatermark(mailer.name, "preferences", { ...chat.world, clock: { now: () => now } });
  const choose = () =>
    chat.publish({ topic: "preferences", key: "ada", value: { userId: "ada", unsubscribed: [], occurredAt: START } });
  expect(await pace()).toBe(10);
  await choose();
  now = 20;
  expect(await pace()).toBe(10);
  now = 30;
  await choose();
  expect(await pace()).toBe(10);
  await chat.settle();
  expect([await pace(), await pace()]).toEqual([20, 30]); // of the older question first
});

test("what a pace has come to is asked once for all, and not again where it is known", async () => {
  const { pace, answer, asked } = slow();
  const hasCome = hasReached(pace);
  const both = Promise.all([hasCome(5), hasCome(7)]);
  answer(7);
  expect(await both).toEqual([true, true]);
  expect(await hasCome(6)).toBe(true);
  expect(asked()).toBe(1);
});

test("who asks while an older question waits has one of their own after it", async () => {
  const { pace, answer, asked } = slow();
  const hasCome = hasReached(pace);
  const early = hasCome(5);
  const late = hasCome(7);
  answer(5);
  expect(await early).toBe(true);
  answer(7);
  expect(await late).toBe(true);
  expect(asked()).toBe(2);
});
