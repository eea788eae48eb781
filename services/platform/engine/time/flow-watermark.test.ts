import { product } from "../../../domain/topics.ts";
import { expect, test } from "vitest";
import { mailer } from "../../../mailer/rule.ts";
import { topology } from "../../memory/topology.ts";
import { memoryCodec } from "../../../../test/support/memory.ts";
import { topicWatermark, hasReached } from "./flow-watermark.ts";

const START = 1_000_000;

/** A watermark that answers when it is told to; `asked` counts the questions. */
const slowWatermark = () => {
  const waiting: ((at: number) => void)[] = [];
  let asked = 0;
  return {
    watermark: () => {
      asked += 1;
      return new Promise<number>((resolve) => waiting.push(resolve));
    },
    answer: (at: number) => waiting.shift()?.(at),
    asked: () => asked,
  };
};

test("a topic's watermark is the time of the question by which all of its records are folded", async () => {
  await using chat = topology(product, await memoryCodec(), START, () => 2);
  await chat.process(mailer);
  let now = 10;
  const watermark = await topicWatermark(mailer.name, "preferences", { ...chat.world, clock: { now: () => now } });
  const choose = () =>
    chat.publish({ topic: "preferences", key: "ada", value: { userId: "ada", unsubscribed: [], occurredAt: START } });
  expect(await watermark()).toBe(10);
  await choose();
  now = 20;
  expect(await watermark()).toBe(10);
  now = 30;
  await choose();
  expect(await watermark()).toBe(10);
  await chat.settle();
  expect([await watermark(), await watermark()]).toEqual([20, 30]); // the older question is answered first
});

test("a watermark is asked once for all callers, and not again for a time that it has reached", async () => {
  const { watermark, answer, asked } = slowWatermark();
  const isReached = hasReached(watermark);
  const both = Promise.all([isReached(5), isReached(7)]);
  answer(7);
  expect(await both).toEqual([true, true]);
  expect(await isReached(6)).toBe(true);
  expect(asked()).toBe(1);
});

test("a caller during an older question gets a new question after it", async () => {
  const { watermark, answer, asked } = slowWatermark();
  const isReached = hasReached(watermark);
  const early = isReached(5);
  const late = isReached(7);
  answer(5);
  expect(await early).toBe(true);
  answer(7);
  expect(await late).toBe(true);
  expect(asked()).toBe(2);
});
