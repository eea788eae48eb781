import { describe, expect, test } from "vitest";
import { MAX_TIME } from "../../platform/contract/time.ts";
import { readHistory } from "./history.ts";

async function* lines(...all: readonly string[]): AsyncGenerator<string> {
  yield* all;
}

const record = { type: "READ", userId: "ada", occurredAt: 5 };
const whole = { topic: "chat.presence", at: 5, key: "ada", value: record };

test.each<readonly [what: string, line: unknown, reason: string]>([
  ["bad JSON", '{"topic":', "not JSON"],
  ["a list", "[]", "not an object"],
  ["an unknown topic", { ...whole, topic: "chat.moods" }, 'topic is "chat.moods"'],
  ["a topic that only we write", { ...whole, topic: "whileaway.inbox" }, 'topic is "whileaway.inbox"'],
  ["no timestamp", { ...whole, at: undefined }, "at is not a time"],
  ["half a millisecond", { ...whole, at: 5.5 }, "at is not a time"],
  ["a negative timestamp", { ...whole, at: -1 }, "at is not a time"],
  ["a timestamp beyond all dates", { ...whole, at: MAX_TIME + 1 }, `at is not a time in whole milliseconds, from 0 to`],
  ["a timestamp beyond all numbers", '{"topic":"chat.presence","at":1e400,"key":"ada","value":null}', "at is not a"],
  ["a timestamp as text", { ...whole, at: "5" }, "at is not a time"],
  ["half a millisecond within", { ...whole, value: { ...record, occurredAt: 5.5 } }, "occurredAt is not a long"],
  ["no key", { ...whole, key: undefined }, "key is not a string"],
  ["no value", { ...whole, value: undefined }, "value is missing"],
  ["a key that isn't the value's id", { ...whole, key: "bob" }, 'its key is "bob" but its userId is "ada"'],
  ["a missing field", { ...whole, value: { type: "READ", userId: "ada" } }, "occurredAt is missing"],
  ["a wrong type", { ...whole, value: { ...record, readUntil: "now" } }, "readUntil is not null or a long"],
  ["an unknown symbol", { ...whole, value: { ...record, type: "AWOL" } }, "type is not one of ONLINE"],
  [
    "settings out of their range",
    { topic: "notification.settings", at: 5, key: "vip", value: { timeout: 5_000, occurredAt: 5 } },
    "timeout: must be a number from 0 to 900",
  ],
  [
    "a misspelt field without which one is missing",
    { ...whole, value: { type: "READ", userId: "ada", occuredAt: 5 } },
    "occurredAt is missing",
  ],
])("%s is refused by the line's number", async (_what, wrong, reason) => {
  const text = typeof wrong === "string" ? wrong : JSON.stringify(wrong);
  const { records, problems } = await readHistory(lines(JSON.stringify(whole), "", text));
  expect(records).toHaveLength(1);
  expect(problems).toEqual([expect.stringMatching(/^line 3: /)]);
  expect(problems[0]).toContain(reason);
});

test("records come in the order of their timestamps, and at one time in the order of their lines", async () => {
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

const one = (topic: string, key: string, value: object): string =>
  JSON.stringify({ topic, at: 5, key, value: { occurredAt: 5, ...value } });
const joined = { type: "JOINED", conversationId: "c", userId: "ada" };
const sent = { type: "SENT", conversationId: "c", messageId: "m" };
/** A line of each topic with other fields in its value. */
const ofEach: Readonly<Record<string, (more: object) => string>> = {
  "chat.messages": (more) => one("chat.messages", "c", { ...sent, ...more }),
  "chat.participants": (more) => one("chat.participants", "c", { ...joined, ...more }),
  "chat.conversations": (more) => one("chat.conversations", "c", { conversationId: "c", ...more }),
  "chat.presence": (more) => one("chat.presence", "ada", { ...record, ...more }),
  "chat.users": (more) => one("chat.users", "ada", { userId: "ada", name: "Ada", ...more }),
  "notification.settings": (more) => one("notification.settings", "vip", more),
  "notification.preferences": (more) => one("notification.preferences", "ada", { userId: "ada", ...more }),
};

describe.each(Object.entries(ofEach))("a record of %s", (_topic, lineOf) => {
  test("has a time within the range of dates, its ends included", async () => {
    const times = [MAX_TIME, -MAX_TIME, 0, MAX_TIME + 1, -MAX_TIME - 1, 1e300];
    const { records, problems } = await readHistory(lines(...times.map((occurredAt) => lineOf({ occurredAt }))));
    expect(records).toHaveLength(3);
    expect(problems).toEqual(
      [4, 5, 6].map(
        (number) =>
          `line ${number}: value: occurredAt is beyond the range of dates: give milliseconds since the epoch, from ${-MAX_TIME} to ${MAX_TIME}`,
      ),
    );
  });

  test("is read despite an unknown field, with a warning by the line", async () => {
    const { records, problems, warnings } = await readHistory(lines("", lineOf({ notfy: 1 })));
    expect([records.length, problems]).toEqual([1, []]);
    expect(warnings).toEqual([
      expect.stringMatching(/^line 2: value: notfy is no field of \w+, which has .*occurredAt.*; it is ignored$/),
    ]);
  });

  test("has no warning otherwise", async () => {
    const custom = { custom: { mood: "good" } };
    const { warnings } = await readHistory(lines(lineOf(lineOf({}).includes("chat.messages") ? custom : {})));
    expect(warnings).toEqual([]);
  });
});

test("readUntil is within the range of dates", async () => {
  const read = (readUntil: number): string => JSON.stringify({ ...whole, value: { ...record, readUntil } });
  const { records, problems } = await readHistory(lines(read(MAX_TIME), read(-1), read(MAX_TIME + 1)));
  expect([records.length, problems]).toEqual([
    2,
    [expect.stringMatching(/^line 3: value: readUntil is beyond the ra/)],
  ]);
});

test.each<readonly [where: string, line: string, warning: string]>([
  [
    "settings",
    ofEach["notification.settings"]!({
      timeOut: 5,
      cooldown: { frst: 5 },
      quietHours: { from: "22:00", to: "07:00", zone: "UTC" },
    }),
    "timeOut cooldown.frst quietHours.zone",
  ],
  [
    "an attachment",
    ofEach["chat.messages"]!({ attachments: [{ name: "a", url: "b", mimeType: "c", size: 1, sise: 2 }] }),
    "attachments.0.sise",
  ],
  ["the line itself", JSON.stringify({ ...whole, vlaue: 1, partition: 0 }), "vlaue partition"],
])("an unknown field within %s gets a warning", async (_where, line, named) => {
  const { records, warnings } = await readHistory(lines(line));
  expect(records).toHaveLength(1);
  expect(warnings.map((text) => /^line 1: (?:value: )?(\S+) is no field of /.exec(text)?.[1])).toEqual(
    named.split(" "),
  );
});

test("a byte order mark at the beginning of any line is skipped", async () => {
  const text = JSON.stringify(whole);
  const { records, problems } = await readHistory(lines(`\uFEFF${text}`, "\uFEFF", `\uFEFF${text}`));
  expect([records.length, problems]).toEqual([2, []]);
});
