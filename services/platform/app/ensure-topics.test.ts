import { expect, test } from "vitest";
import type { TopicPartition } from "../contract/topic-partition.ts";
import { Fatal, Transient } from "../contract/failure.ts";
import type { TopicId } from "../../domain/topics.ts";
import type { TopicState } from "../adapters/kafka/client.ts";
import { untilThere } from "./ensure-topics.ts";

const state = { partitions: 1, replication: 1, config: {} };

/** A log that answers so, one after the other; its partitions answer once they have leaders. */
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
    offsets: (places: readonly TopicPartition[]) =>
      leaderless-- > 0
        ? Promise.reject(new Transient("Kafka: This server is not the leader for that topic-partition"))
        : Promise.resolve(places.map(() => ({ low: 0, high: 0 }))),
    left: () => left.length,
  };
};

test("a topic is waited for that some broker doesn't know yet, or doesn't answer for, whatever it says of that", async () => {
  const asked = log([], new Transient("Kafka: This server does not host this topic-partition"), ["inbox"], ["inbox"]);
  await untilThere(asked, ["inbox"]);
  expect(asked.left()).toBe(0);
});

test("a failure that won't pass is told", async () => {
  await expect(untilThere(log(new Fatal("not allowed")), ["inbox"])).rejects.toThrow("not allowed");
});
