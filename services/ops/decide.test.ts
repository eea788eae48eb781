import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import { topics } from "../domain/topics.ts";
import type { NotificationEvent } from "../domain/records.ts";
import { decide as decideOf } from "./decide.ts";
import { readHistory } from "./history.ts";
import { textLines } from "./text-lines.ts";
import { at, message, participant, presence, user } from "../../test/support/chat.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Runs `ops decide` over lines from standard input. */
const decide = (lines: readonly string[], until: string, ...flags: readonly string[]) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [main, "decide", "-", "--until", String(at(until)), ...flags],
    { input: lines.join("\n"), encoding: "utf8" },
  );
  return { status, stderr, said: stdout.split("\n").filter((line) => line !== ""), stdout };
};

const line = ({ topic, key, value, timestamp }: NewRecord): string => {
  const own = value !== null && "occurredAt" in value ? value.occurredAt : 0;
  return JSON.stringify({ topic: topics[topic].name, at: timestamp ?? own, key, value });
};

const beginning = [
  user("ada", "11:00"),
  participant("c", "ada", "11:00"),
  participant("c", "bob", "11:00"),
  message("c", "bob", "m1", "12:00"),
].map(line);

const briefly = (text: string): string => {
  const { type, userId, occurredAt, messageIds, reason } = JSON.parse(text) as NotificationEvent;
  return [new Date(occurredAt).toISOString().slice(11, 19), type, userId, ...messageIds, reason ?? ""].join(" ").trim();
};

test("who missed a message is told when they are due, and not a moment before", () => {
  expect(decide(beginning, "12:04:59")).toMatchObject({ status: 0, said: [] });
  expect(decide(beginning, "12:05").said.map(briefly)).toEqual(["12:05:00 TRIGGERED ada m1"]);
});

test("lines may be in any order, blank ones among them, and what is later than the end is left out", () => {
  const read = line(presence("ada", "READ", "12:06", { conversationId: "c" }));
  const { said } = decide([read, "", ...beginning.toReversed(), "  "], "12:05");
  expect(said.map(briefly)).toEqual(["12:05:00 TRIGGERED ada m1"]);
});

test("the snapshot says what the mail would show", () => {
  const [told] = decide(beginning, "12:05").said.map((text) => JSON.parse(text) as NotificationEvent);
  expect(told?.snapshot?.recipient.emails).toEqual(["ada@example.org"]);
  expect(told?.snapshot?.conversations[0]?.messages.map(({ text }) => text)).toEqual(["text of m1"]);
});

test("a mail that doesn't go is said, too, with its reason", () => {
  const nowhere = line(user("ada", "11:30", { emails: null }));
  expect(decide([...beginning, nowhere], "12:05").said.map(briefly)).toEqual([
    "12:05:00 TRIGGERED ada m1",
    "12:05:00 SUPPRESSED ada no_address",
  ]);
});

test("settings hold from their time on, and what they leave out has its default", () => {
  const value = { timeout: 60, occurredAt: at("11:00") };
  const settings = JSON.stringify({ topic: "notification.settings", at: at("11:00"), key: "default", value });
  expect(decide([...beginning, settings], "13:00").said.map(briefly)).toEqual(["12:01:00 TRIGGERED ada m1"]);
});

test("what a part of the settings leaves out has its default, too", () => {
  const value = { timeout: 0, settle: 0, cooldown: { first: 60 }, occurredAt: at("11:00") };
  const settings = JSON.stringify({ topic: "notification.settings", at: at("11:00"), key: "default", value });
  const more = [line(message("c", "bob", "m2", "12:00:10")), line(message("c", "bob", "m3", "12:01:10"))];
  expect(decide([...beginning, settings, ...more], "13:00").said.map(briefly)).toEqual([
    "12:00:00 TRIGGERED ada m1",
    "12:01:00 TRIGGERED ada m2",
    "12:03:00 TRIGGERED ada m3", // twice the first
  ]);
});

test("who has unsubscribed all of their addresses is told without a mail", () => {
  const value = { userId: "ada", unsubscribed: ["ada@example.org"], occurredAt: at("11:30") };
  const chosen = JSON.stringify({ topic: "notification.preferences", at: at("11:30"), key: "ada", value });
  expect(decide([...beginning, chosen], "12:05").said.map(briefly)).toEqual([
    "12:05:00 TRIGGERED ada m1",
    "12:05:00 SUPPRESSED ada unsubscribed",
  ]);
});

test("a hundred thousand lines are a history like any other", () => {
  const count = 100_000;
  const seconds = (index: number): string => `12:00:${Math.floor(index / 2_000)}`;
  const many = Array.from({ length: count }, (_none, index) =>
    line(message("c", "bob", `m${index}`, seconds(index), { text: "" })),
  );
  const [told] = decide([...beginning.slice(0, 3), ...many], "12:06").said;
  const { messageIds, snapshot } = JSON.parse(told ?? "") as NotificationEvent;
  expect(messageIds).toEqual(Array.from({ length: 500 }, (_none, index) => `m${count - 500 + index}`));
  expect(snapshot?.conversations[0]?.omitted).toBe(count - 20);
});

test("a record needs no more than its schema wants, and may have more than that", () => {
  const value = { type: "SENT", conversationId: "c", messageId: "m0", senderId: "bob", occurredAt: at("11:59") };
  const short = JSON.stringify({ topic: "chat.messages", at: at("11:59"), key: "c", value: { ...value, mood: "gay" } });
  expect(decide([...beginning, short], "12:05").said.map(briefly)).toEqual(["12:04:00 TRIGGERED ada m0 m1"]);
});

test("a tombstone of a user is the end of it", () => {
  const gone = JSON.stringify({ topic: "chat.users", at: at("12:01"), key: "ada", value: null });
  expect(decide([...beginning, gone], "13:00").said).toEqual([]);
});

test("the ledger says each verdict, one line for each user", () => {
  const third = line(participant("c", "eve", "11:00"));
  const verdicts = decide([...beginning, third], "12:05", "--ledger").said.map(
    (text) => JSON.parse(text) as { verdict: string; users: readonly string[]; reason: string | null },
  );
  for (const { users } of verdicts) expect(users).toHaveLength(1);
  const of = (name: string) =>
    verdicts.filter(({ users }) => users[0] === name).map(({ verdict, reason }) => [verdict, reason]);
  expect(of("bob")).toEqual([["REJECTED", "self"]]);
  expect(of("ada").at(0)).toEqual(["CANDIDATE", null]);
  expect(of("eve").slice(-2)).toEqual([
    ["TRIGGERED", null],
    ["SUPPRESSED", "no_address"],
  ]);
});

test("where lines are wrong, each is named, nothing is said, and the exit code is 2", () => {
  const { status, stderr, stdout } = decide([...beginning, "", "nonsense", beginning[0] ?? "", "{}"], "13:00");
  expect(stderr).toMatch(/^line 6: not JSON.*\nline 8: topic is missing/);
  expect([status, stdout]).toEqual([2, ""]);
});

const ops = (input: string, ...flags: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "decide", ...flags], {
    input,
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, stdout, stderr };
};
const wrong = (stderr: unknown) => ({ status: 2, stdout: "", stderr });

test("without an end nothing is decided", () => {
  expect(ops("", "-")).toEqual(wrong(expect.stringContaining("--until")));
});

test.each(["soon", "-1", "1.5", "1e3", "8640000000000001"])(
  "the end %j is refused with 2 and what may be given",
  (until) => {
    expect(ops("", "-", "--until", until)).toEqual(
      wrong(expect.stringMatching(/--until.*whole milliseconds.* to 8640/s)),
    );
  },
);

test.each([8.64e15, 8.64e15 - 300_000, 8.64e15 - 600_000])(
  "with the last of all dates for an end, a message at %i is decided",
  async (time) => {
    const value = { type: "SENT", conversationId: "c", messageId: "m2", senderId: "bob", occurredAt: time };
    const late = [...beginning, JSON.stringify({ topic: "chat.messages", at: time, key: "c", value })];
    for (const more of [{}, { quietHours: { from: "12:30", to: "11:00" } }, { dailyCap: 1, cooldown: { first: 0 } }]) {
      const settings = { topic: "notification.settings", at: 1, key: "default", value: { ...more, occurredAt: 1 } };
      const lines = [JSON.stringify(settings), ...late];
      const history = await readHistory(textLines([Buffer.from(lines.join("\n"))]));
      const complaints: string[] = [];
      const said: string[] = [];
      decideOf(history, 8.64e15, false, {
        line: (text) => said.push(text),
        complaint: (text) => complaints.push(text),
      });
      expect([history.problems, complaints]).toEqual([[], []]);
      expect(said.map(briefly)[0]).toMatch(/ TRIGGERED ada m1$/);
    }
  },
);

test.each(["nosuch.jsonl", "."])("the file %s ends with 2, by its name and with what to do", (file) => {
  expect(ops("", file, "--until", "5")).toEqual(
    wrong(expect.stringMatching(/^error: \S+ can't be read: E.*; name a file of JSON lines/)),
  );
});

test("a file with a byte order mark and CR LF is a history like any other", () => {
  const { stdout } = decide(beginning, "12:05");
  expect(ops(`\uFEFF${beginning.join("\r\n")}\r\n`, "-", "--until", String(at("12:05")))).toEqual({
    status: 0,
    stdout,
    stderr: "",
  });
});

test("a field that isn't known is warned about on standard error, and no more is different", () => {
  const other = participant("c", "bob", "11:00");
  const odd = line({ ...other, value: { ...other.value, notfy: "NONE" } } as unknown as NewRecord);
  const { status, stdout, stderr } = decide([odd, ...beginning], "12:05");
  expect([status, stdout]).toEqual([0, decide(beginning, "12:05").stdout]);
  expect(stderr).toMatch(
    /^line 1: value: notfy is no field of ParticipantEvent, which has .*notify.*; it is ignored\n$/,
  );
});

test("no more than twenty warnings are printed", () => {
  const odd = JSON.stringify({ topic: "chat.users", at: 1, key: "ada", value: null, note: 1 });
  const { stderr } = ops(`${odd}\n`.repeat(25), "-", "--until", "5");
  expect(stderr.trimEnd().split("\n")).toHaveLength(21);
  expect(stderr).toMatch(/\nand 5 more fields are ignored\n$/);
});
