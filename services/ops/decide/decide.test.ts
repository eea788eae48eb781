import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { NewRecord } from "../../domain/log-record.ts";
import { topics } from "../../domain/topics.ts";
import { DAY, HOUR, MAX_TIME, MINUTE } from "../../platform/contract/time.ts";
import { decide as decideHistory } from "./decide.ts";
import { readHistory } from "./history.ts";
import type { NotificationEvent } from "../../domain/records.ts";
import { at, message, participant, presence, user } from "../../../test/support/chat.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

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
  const occurredAt = value !== null && "occurredAt" in value ? value.occurredAt : 0;
  return JSON.stringify({ topic: topics[topic].name, at: timestamp ?? occurredAt, key, value });
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

test("a user who missed a message is told when the notification is due, and not before", () => {
  expect(decide(beginning, "12:04:59")).toMatchObject({ status: 0, said: [] });
  expect(decide(beginning, "12:05").said.map(briefly)).toEqual(["12:05:00 TRIGGERED ada m1"]);
});

test("lines may be in any order, blank ones are skipped, and records after the end are left out", () => {
  const read = line(presence("ada", "READ", "12:06", { conversationId: "c" }));
  const { said } = decide([read, "", ...beginning.toReversed(), "  "], "12:05");
  expect(said.map(briefly)).toEqual(["12:05:00 TRIGGERED ada m1"]);
});

test("the snapshot has the content of the mail", () => {
  const [told] = decide(beginning, "12:05").said.map((text) => JSON.parse(text) as NotificationEvent);
  expect(told?.snapshot?.recipient.emails).toEqual(["ada@example.org"]);
  expect(told?.snapshot?.conversations[0]?.messages.map(({ text }) => text)).toEqual(["text of m1"]);
});

test("a suppressed mail is reported with its reason", () => {
  const nowhere = line(user("ada", "11:30", { emails: null }));
  expect(decide([...beginning, nowhere], "12:05").said.map(briefly)).toEqual([
    "12:05:00 TRIGGERED ada m1",
    "12:05:00 SUPPRESSED ada no_address",
  ]);
});

test("settings hold from their time on, with defaults for fields left out", () => {
  const value = { timeout: 60, occurredAt: at("11:00") };
  const settings = JSON.stringify({ topic: "notification.settings", at: at("11:00"), key: "default", value });
  expect(decide([...beginning, settings], "13:00").said.map(briefly)).toEqual(["12:01:00 TRIGGERED ada m1"]);
});

test("nested settings have defaults for fields left out", () => {
  const value = { timeout: 0, settle: 0, cooldown: { first: 60 }, occurredAt: at("11:00") };
  const settings = JSON.stringify({ topic: "notification.settings", at: at("11:00"), key: "default", value });
  const more = [line(message("c", "bob", "m2", "12:00:10")), line(message("c", "bob", "m3", "12:01:10"))];
  expect(decide([...beginning, settings, ...more], "13:00").said.map(briefly)).toEqual([
    "12:00:00 TRIGGERED ada m1",
    "12:01:00 TRIGGERED ada m2",
    "12:03:00 TRIGGERED ada m3", // twice the first
  ]);
});

test("a user who unsubscribed every address is told without a mail", () => {
  const value = { userId: "ada", unsubscribed: ["ada@example.org"], occurredAt: at("11:30") };
  const chosen = JSON.stringify({ topic: "notification.preferences", at: at("11:30"), key: "ada", value });
  expect(decide([...beginning, chosen], "12:05").said.map(briefly)).toEqual([
    "12:05:00 TRIGGERED ada m1",
    "12:05:00 SUPPRESSED ada unsubscribed",
  ]);
});

test("a history of a hundred thousand lines is decided", () => {
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

test("a record may leave out fields with defaults, and may have unknown fields", () => {
  const value = { type: "SENT", conversationId: "c", messageId: "m0", senderId: "bob", occurredAt: at("11:59") };
  const short = JSON.stringify({ topic: "chat.messages", at: at("11:59"), key: "c", value: { ...value, mood: "gay" } });
  expect(decide([...beginning, short], "12:05").said.map(briefly)).toEqual(["12:04:00 TRIGGERED ada m0 m1"]);
});

test("a user's tombstone ends their notifications", () => {
  const gone = JSON.stringify({ topic: "chat.users", at: at("12:01"), key: "ada", value: null });
  expect(decide([...beginning, gone], "13:00").said).toEqual([]);
});

test("--ledger prints each verdict, one line for each user", () => {
  const third = line(participant("c", "eve", "11:00"));
  const verdicts = decide([...beginning, third], "12:05", "--ledger").said.map(
    (text) => JSON.parse(text) as { verdict: string; users: readonly string[]; reason: string | null },
  );
  for (const { users } of verdicts) expect(users).toHaveLength(1);
  const verdictsOf = (name: string) =>
    verdicts.filter(({ users }) => users[0] === name).map(({ verdict, reason }) => [verdict, reason]);
  expect(verdictsOf("bob")).toEqual([["REJECTED", "self"]]);
  expect(verdictsOf("ada").at(0)).toEqual(["CANDIDATE", null]);
  expect(verdictsOf("eve").slice(-2)).toEqual([
    ["TRIGGERED", null],
    ["SUPPRESSED", "no_address"],
  ]);
});

test("wrong lines are each named, nothing is decided, and the exit code is 2", () => {
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

test("a missing --until is refused", () => {
  expect(ops("", "-")).toEqual(wrong(expect.stringContaining("--until")));
});

test.each(["soon", "-1", "1.5", "1e3", "8640000000000001"])(
  "the end %j is refused with 2 and the allowed range",
  (until) => {
    expect(ops("", "-", "--until", until)).toEqual(
      wrong(expect.stringMatching(/--until.*whole milliseconds.* to 8640/s)),
    );
  },
);

/** Decides a history up to the last date in this process, and returns the complaints. */
const complaintsOf = async (lines: readonly string[]): Promise<readonly string[]> => {
  async function* source(): AsyncGenerator<string> {
    yield* lines;
  }
  const complaints: string[] = [];
  const history = await readHistory(source());
  decideHistory(history, MAX_TIME, false, { line: () => undefined, complaint: (text) => void complaints.push(text) });
  return [...history.problems, ...complaints];
};

test.each(["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])(
  "messages of the last two dates are decided in %s, with quiet hours and a daily cap too",
  async (timezone) => {
    const zoned = line(user("ada", "11:30", { timezone }));
    const late = (time: number): string[] => {
      const value = { type: "SENT", conversationId: "c", messageId: "m2", senderId: "bob", occurredAt: time };
      return [...beginning, zoned, JSON.stringify({ topic: "chat.messages", at: time, key: "c", value })];
    };
    const hours = { quietHours: { from: "12:00", to: "11:00" }, dailyCap: 1, cooldown: { first: 0 }, occurredAt: 1 };
    const settings = JSON.stringify({ topic: "notification.settings", at: 1, key: "default", value: hours });
    for (const before of [0, 5 * MINUTE, HOUR, DAY, 2 * DAY])
      for (const lines of [late(MAX_TIME - before), [settings, ...late(MAX_TIME - before)]])
        expect(await complaintsOf(lines)).toEqual([]);
  },
);

test.each(["nosuch.jsonl", "."])(
  "the unreadable file %s ends with 2, and the error names it and the remedy",
  (file) => {
    expect(ops("", file, "--until", "5")).toEqual(
      wrong(expect.stringMatching(/^error: \S+ can't be read: E.*; name a file of JSON lines/)),
    );
  },
);

test("a history may have a byte order mark and CR LF", () => {
  const { stdout } = decide(beginning, "12:05");
  expect(ops(`\uFEFF${beginning.join("\r\n")}\r\n`, "-", "--until", String(at("12:05")))).toEqual({
    status: 0,
    stdout,
    stderr: "",
  });
});

test("an unknown field causes a warning on standard error, and the same decisions", () => {
  const other = participant("c", "bob", "11:00");
  const odd = line({ ...other, value: { ...other.value, notfy: "NONE" } } as unknown as NewRecord);
  const { status, stdout, stderr } = decide([odd, ...beginning], "12:05");
  expect([status, stdout]).toEqual([0, decide(beginning, "12:05").stdout]);
  expect(stderr).toMatch(
    /^line 1: value: notfy is no field of ParticipantEvent, which has .*notify.*; it is ignored\n$/,
  );
});

test("a text with U+2028 stays one line, and is decided", () => {
  const odd = line(message("c", "bob", "m1", "12:00", { text: "one\u2028two" }));
  const { status, stderr, said } = decide([...beginning.slice(0, 3), odd], "12:05");
  expect([status, stderr]).toEqual([0, ""]);
  expect(said[0]).toContain("one\u2028two");
});

test("at most twenty warnings are printed", () => {
  const odd = JSON.stringify({ topic: "chat.users", at: 1, key: "ada", value: null, note: 1 });
  const { stderr } = ops(`${odd}\n`.repeat(25), "-", "--until", "5");
  expect(stderr.trimEnd().split("\n")).toHaveLength(21);
  expect(stderr).toMatch(/\nand 5 more fields are ignored\n$/);
});
