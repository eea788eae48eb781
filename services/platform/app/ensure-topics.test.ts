import { expect, test } from "vitest";
import type { TopicPartition } from "../contract/topic-partition.ts";
import { Fatal, Transient } from "../contract/failure.ts";
import type { TopicId } from "../../domain/topics.ts";
import type { TopicState } from "../adapters/kafka/client.ts";
import { untilThere } from "./ensure-topics.ts";

const state = { partitions: 1, replication: 1, config: {} };

/** A log that gives these answers in turn; its partitions answer from the second question on. */
const log = (...answers: readonly (readonly "inbox"[] | Error)[]) => {
  const left = [...answers];
  let leaderless = 1;
  return {
    nameOf: (topic: string) => topic,
    describe: () => {
      const answer = left.shift() ?? [];
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(new Map<TopicId, TopicState>(answer.map((topic) => [topic, state])));
    },
    offsets: (partitions: readonly TopicPartition[]) =>
      leaderless-- > 0
        ? Promise.reject(new Transient("Kafka: This server is not the leader for that topic-partition"))
        : Promise.resolve(partitions.map(() => ({ low: 0, high: 0 }))),
    left: () => left.length,
  };
};

test("a topic is waited for while a broker does not know it, or does not answer for its partitions", async () => {
  const asked = log([], new Transient("Kafka: This server does not host this topic-partition"), ["inbox"], ["inbox"]);
  await untilThere(asked, ["inbox"]);
  expect(asked.left()).toBe(0);
});

test("a fatal failure is thrown at once", async () => {
  await expect(untilThere(log(new Fatal("not allowed")), ["inbox"])).rejects.toThrow("not allowed");
});
