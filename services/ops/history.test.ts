import { expect, test } from "vitest";
import { readHistory } from "./history.ts";

async function* lines(...all: readonly string[]): AsyncGenerator<string> {
  yield* all;
}

const record = { type: "READ", userId: "ada", occurredAt: 5 };
const whole = { topic: "chat.presence", at: 5, key: "ada", value: record };

test.each<readonly [what: string, line: unknown, reason: string]>([
  ["bad JSON", '{"topic":', "not JSON"],
  ["what is no object", "[]", "not an object"],
  ["an unknown topic", { ...whole, topic: "chat.moods" }, 'topic is "chat.moods"'],
  ["a topic that only we write", { ...whole, topic: "whileaway.inbox" }, 'topic is "whileaway.inbox"'],
  ["no timestamp", { ...whole, at: undefined }, "at is not a time"],
  ["half a millisecond", { ...whole, at: 5.5 }, "at is not a time"],
  ["a negative timestamp", { ...whole, at: -1 }, "at is not a time"],
  ["no key", { ...whole, key: undefined }, "key is not a string"],
  ["no value", { ...whole, value: undefined }, "value is missing"],
  ["a key that isn't the value's id", { ...whole, key: "bob" }, 'its key is "bob" but its userId "ada"'],
  ["a missing field", { ...whole, value: { type: "READ", userId: "ada" } }, "occurredAt is missing"],
  ["a wrong type", { ...whole, value: { ...record, readUntil: "now" } }, "readUntil is not null or a long"],
  ["an unknown symbol", { ...whole, value: { ...record, type: "AWOL" } }, "type is not one of ONLINE"],
  [
    "settings out of their range",
    { topic: "notification.settings", at: 5, key: "vip", value: { timeout: 5_000, occurredAt: 5 } },
    "timeout: must be a number from 0 to 900",
  ],
])("%s is refused by the line's number", async (_what, wrong, reason) => {
  const text = typeof wrong === "string" ? wrong : JSON.stringify(wrong);
  const { records, problems } = await readHistory(lines(JSON.stringify(whole), "", text));
  expect(records).toHaveLength(1);
  expect(problems).toEqual([expect.stringMatching(/^line 3: /)]);
  expect(problems[0]).toContain(reason);
});

test("records come in the order of their timestamps, those of one time as they were given", async () => {
  const at = (time: number, sessionId: string) =>
    JSON.stringify({ ...whole, at: time, value: { ...record, sessionId } });
  const { records } = await readHistory(lines(at(9, "a"), at(7, "b"), at(9, "c"), at(8, "d")));
  expect(
    records.map(({ loggedAt: timestamp, value }) => [timestamp, (value as { sessionId: string }).sessionId]),
  ).toEqual([
    [7, "b"],
    [8, "d"],
    [9, "a"],
    [9, "c"],
  ]);
});

test("a record's own time is never later than its timestamp", async () => {
  const { records } = await readHistory(lines(JSON.stringify({ ...whole, at: 3 })));
  expect(records).toMatchObject([{ at: 3, loggedAt: 3 }]);
});
