import { describe, expect, test } from "vitest";
import { at } from "../../../test/support/chat.ts";
import type { LedgerEntry, NotificationEvent } from "../../domain/records.ts";
import { triggered } from "../../mailer/content/notification.fixture.ts";
import { type Question, story, storyLines } from "./story.ts";

const entry = (verdict: LedgerEntry["verdict"], clock: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  verdict,
  reason: null,
  users: ["ada"],
  conversationId: "c",
  messageIds: [],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt: at(clock),
  ...more,
});
const missed = (message: string, clock: string, more: Partial<LedgerEntry> = {}) =>
  entry("CANDIDATE", clock, { messageIds: [message], facts: { since: String(at(clock)) }, ...more });
const held = (reason: string, clock: string, more: Partial<LedgerEntry> = {}) =>
  entry("HELD", clock, { reason, ...more });
const told = (clock: string, notificationId: string, ...messageIds: readonly string[]) =>
  entry("TRIGGERED", clock, { notificationId, messageIds });
const event = (type: NotificationEvent["type"], clock: string, more: Partial<NotificationEvent> = {}) => ({
  ...triggered([]),
  id: `${type} ${clock}`,
  userId: "ada",
  conversationId: "c",
  type,
  snapshot: null,
  occurredAt: at(clock),
  ...more,
});

const read = (
  ledger: readonly LedgerEntry[],
  events: readonly NotificationEvent[] = [],
  question: Partial<Question> = {},
) => {
  const asked = { user: "ada", ...question };
  return storyLines(asked, story(asked, ledger, events));
};

test("a story that ends in a mail has the miss, the holds and the delivery", () => {
  const ledger = [
    told("12:06", "n-1", "m1", "m2", "m3"),
    missed("m1", "12:01"),
    held("online", "12:01"),
    held("timeout", "12:02", { until: at("12:06"), facts: { awaySince: String(at("12:02")) } }),
  ];
  const events = [
    event("TRIGGERED", "12:06"),
    event("SENT", "12:06:01", { email: "ada@example.org" }),
    event("DELIVERED", "12:06:02", { email: "ada@example.org" }),
    event("SENT", "12:07", { email: "ada@example.org", notificationId: "n-0" }),
  ];
  expect(read(ledger, events)).toEqual([
    "2026-01-05 (UTC)",
    "12:01:00  m1 in c was missed",
    "12:01:00  held in c: they were online",
    "12:02:00  held in c: they had not been away, or it had not been missed, for long enough, until 12:06:00 (away since 12:02:00)",
    "12:06:00  told: notification n-1 about 3 messages in c",
    "12:06:01  the mail to ada@example.org about c was accepted by the next server",
    "12:06:02  the mail to ada@example.org about c was delivered",
  ]);
});

test("facts that the sentence implies are left out: its own time, a latest equal to the first, an absence of a user online", () => {
  const [at1, at2] = [at("12:01"), at("12:02")].map((time) => String(time));
  const facts = { first: at1 ?? "", last: at1 ?? "", awaySince: at2 ?? "" };
  const ledger = [
    missed("m1", "12:01", { occurredAt: at("12:01") + 7 }),
    held("online", "12:03", { facts }),
    held("timeout", "12:04", { facts: { ...facts, last: at2 ?? "" } }),
    missed("m2", "12:05", { facts: { since: at1 ?? "" } }),
  ];
  expect(read(ledger).slice(1)).toEqual([
    "12:01:00  m1 in c was missed",
    "12:03:00  held in c: they were online (the first missed at 12:01:00)",
    "12:04:00  held in c: they had not been away, or it had not been missed, for long enough (the first missed at 12:01:00, the latest at 12:02:00, away since 12:02:00)",
    "12:05:00  m2 in c was missed (since 12:01:00)",
  ]);
});

test("a message that counts as missed later is missed after all", () => {
  const ledger = [
    entry("REJECTED", "12:01", { reason: "attending", messageIds: ["m1"] }),
    missed("m1", "12:02", { facts: {} }),
  ];
  expect(read(ledger).at(-1)).toBe("12:02:00  m1 in c was missed after all");
});

test.each([
  ["muted", "m1 in c was not for them: they had muted the conversation"],
  ["self", "m1 in c was not for them: they wrote it themselves"],
  ["a_newer_code", "m1 in c was not for them: a_newer_code"],
])("a message that was not for them, and why: %s", (reason, sentence) => {
  expect(read([entry("REJECTED", "12:01", { reason, messageIds: ["m1"] })])[1]).toBe(`12:01:00  ${sentence}`);
});

test("a message that was read is not missed any more", () => {
  const facts = { readUntil: String(at("12:03")) };
  expect(read([entry("DROPPED", "12:04", { reason: "read", messageIds: ["m1", "m2"], facts })])[1]).toBe(
    "12:04:00  m1, m2 in c are not missed any more: they had read it (read up to 12:03:00)",
  );
});

test("a notification without a mail says why, once", () => {
  const suppressed = entry("SUPPRESSED", "12:06", { reason: "no_address", notificationId: "n-1" });
  const events = [event("SUPPRESSED", "12:06", { reason: "no_address" })];
  expect(read([told("12:06", "n-1", "m1"), suppressed, suppressed], events)).toEqual([
    "2026-01-05 (UTC)",
    "12:06:00  told: notification n-1 about 1 message in c",
    "12:06:00  no mail goes for notification n-1: they have no address on record",
  ]);
});

describe("asked about a message that came while others were held", () => {
  const before = [missed("m1", "12:00"), held("cooldown", "12:00", { until: at("12:15") })];
  const after = [missed("m2", "12:05"), held("online", "12:06"), told("12:20", "n-1", "m1", "m2")];
  const about = (ledger: readonly LedgerEntry[]) =>
    story({ user: "ada", message: "m2" }, ledger, []).map(({ what, reason }) => reason ?? what);

  test("the story has the hold that was in force", () => {
    expect(about([...before, ...after])).toEqual(["cooldown", "CANDIDATE", "online", "TRIGGERED"]);
  });

  test.each<readonly [string, LedgerEntry]>([
    ["read", entry("DROPPED", "12:04", { reason: "read", messageIds: ["m1"] })],
    ["told of", told("12:04", "n-0", "m1")],
    ["told of with others", { ...told("12:04", "n-0", "m1"), conversationId: null }],
  ])("but not if they were %s before", (_, gone) => {
    expect(about([...before, gone, ...after])).toEqual(["CANDIDATE", "online", "TRIGGERED"]);
  });

  test("the hold of another conversation is left out", () => {
    const elsewhere = before.map((each) => ({ ...each, conversationId: "d" }));
    expect(about([...elsewhere, ...after])).toEqual(["CANDIDATE", "online", "TRIGGERED"]);
  });
});

describe("asked about one message", () => {
  const ledger = [
    missed("m0", "12:00"),
    held("timeout", "12:00"),
    told("12:05", "n-0", "m0"),
    missed("m1", "12:06"),
    held("cooldown", "12:06"),
    held("timeout", "12:06", { conversationId: "d" }),
    told("12:20", "n-1", "m1"),
    entry("SUPPRESSED", "12:20", { reason: "superseded", notificationId: "n-1" }),
    entry("SUPPRESSED", "12:20", { reason: "no_address", notificationId: "n-0" }),
    missed("m2", "12:30"),
    held("daily_cap", "12:30"),
  ];

  test("the story has the entries of the conversation while the message was missed", () => {
    const asked = { user: "ada", conversation: "c", message: "m1" };
    expect(story(asked, ledger, []).map(({ what, reason }) => [what, reason])).toEqual([
      ["CANDIDATE", null],
      ["HELD", "cooldown"],
      ["TRIGGERED", null],
      ["SUPPRESSED", "superseded"],
    ]);
  });

  test("a miss after a lapsed session is told too", () => {
    const again = [
      entry("REJECTED", "12:01", { reason: "attending", messageIds: ["m1"] }),
      held("timeout", "12:01:10"),
      missed("m1", "12:01:45"),
      held("timeout", "12:01:45"),
    ];
    expect(story({ user: "ada", message: "m1" }, again, []).map(({ at: time }) => time)).toEqual([
      at("12:01"),
      at("12:01:45"),
      at("12:01:45"),
    ]);
  });
});

test("other people and other conversations have their own stories", () => {
  const ledger = [missed("m1", "12:01", { users: ["bob"] }), missed("m2", "12:01", { conversationId: "d" })];
  expect(read(ledger, [], { conversation: "c" })).toHaveLength(1);
  expect(read(ledger)).toHaveLength(2);
});

test("an empty record is explained", () => {
  expect(read([], [], { conversation: "c", message: "m" })).toEqual([
    "nothing is on record for the user ada about message m in conversation c: they did not take part in the conversation then, or it is more than 30 days ago (verdicts are kept no longer), or the services have not come to it yet",
  ]);
});

test("each day has a heading, and a time of another day has its date", () => {
  const lines = read([
    missed("m1", "23:59"),
    held("quiet_hours", "24:01", { until: at("31:00") }),
    held("timeout", "23:59", { until: at("24:04") }),
  ]);
  expect(lines).toEqual([
    "2026-01-05 (UTC)",
    "23:59:00  m1 in c was missed",
    "23:59:00  held in c: they had not been away, or it had not been missed, for long enough, until 2026-01-06 00:04:00",
    "2026-01-06 (UTC)",
    "00:01:00  held in c: it was within their quiet hours, until 07:00:00",
  ]);
});
