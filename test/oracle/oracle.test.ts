import { describe, expect, test } from "vitest";

import {
  conversation,
  type Line,
  message,
  participant,
  presence,
  type SettingsValue,
  settings,
  user,
} from "./history.ts";
import { accounts, judge } from "./judge.ts";
import { concerning } from "./known.ts";
import { perfect } from "./memory.ts";

const noon = Date.parse("2026-06-10T12:00Z");
const days = 2 * 86_400;

/** Seconds after the beginning of a history. */
function s(seconds: number): number {
  return noon + seconds * 1000;
}

/** Ann and Bob are in a conversation, c, from the beginning. */
const together: readonly Line[] = [participant(noon, "JOINED", "c", "ann"), participant(noon, "JOINED", "c", "bob")];

function fromAnn(at: number, messageId: string, more: Parameters<typeof message>[4] = {}, conversationId = "c"): Line {
  return message(s(at), "SENT", conversationId, messageId, { senderId: "ann", ...more });
}

function edited(at: number, messageId: string, mentions: readonly string[]): Line {
  return message(s(at), "EDITED", "c", messageId, { senderId: "ann", mentions });
}

function bob(
  at: number,
  type: "ONLINE" | "HEARTBEAT" | "OFFLINE" | "READ" | "MARKED_UNREAD",
  on: string | null = null,
): Line {
  return presence(s(at), type, "bob", { conversationId: on });
}

function mentionsOnly(at: number): Line {
  return participant(s(at), "UPDATED", "c", "bob", { notify: "MENTIONS_ONLY" });
}

function byDefault(value: Omit<SettingsValue, "occurredAt">): Line {
  return settings(noon, "default", value);
}

/** Bob's notifications, as "seconds conversation: messages". */
function told(...lines: readonly Line[]): string[] {
  return judge([...together, ...lines], s(days))
    .filter(({ userId }) => userId === "bob")
    .map(({ at, conversationId, messageIds }) => `${(at - noon) / 1000} ${conversationId}: ${messageIds.join(" ")}`);
}

/** Bob's accounts, instant by instant. */
function ofBob(...lines: readonly Line[]) {
  return [...accounts("bob", perfect(concerning([...together, ...lines], "bob")), s(days))];
}

/** The final reasons why Bob has not missed a message, for each of its moments. */
function why(messageId: string, ...lines: readonly Line[]): readonly string[] {
  const moments =
    ofBob(...lines)
      .at(-1)
      ?.standings.get(`c/${messageId}`)?.moments ?? [];
  return moments.map(({ reasons }) => reasons.join(" "));
}

/** The reasons that hold Bob's missed messages in c, as "seconds reasons", at each change. */
function held(...lines: readonly Line[]): readonly string[] {
  const all = ofBob(...lines).map((account) => ({ at: account.at, why: (account.held.get("c") ?? []).join(" ") }));
  return all.flatMap(({ at, why: now }, place) =>
    now === (all[place - 1]?.why ?? "") ? [] : `${(at - noon) / 1000} ${now}`.trimEnd(),
  );
}

describe("missed messages", () => {
  test("someone who never was online is told of all missed messages when the first has waited for the timeout", () => {
    expect(told(fromAnn(10, "m1"), fromAnn(200, "m2"))).toEqual(["310 c: m1 m2"]);
  });

  test("the sender, strangers, the muted and those without access miss nothing, and nobody misses system messages and imports", () => {
    expect(told(message(s(1), "SENT", "c", "m1", { senderId: "bob" }), fromAnn(2, "m2", { kind: "SYSTEM" }))).toEqual(
      [],
    );
    expect(told(fromAnn(1, "m1", { origin: "IMPORT" }), fromAnn(2, "m2", {}, "elsewhere"))).toEqual([]);
    expect(told(participant(s(1), "UPDATED", "c", "bob", { notify: "NONE" }), fromAnn(2, "m1"))).toEqual([]);
    expect(told(participant(s(1), "UPDATED", "c", "bob", { access: "NONE" }), fromAnn(2, "m1"))).toEqual([]);
    expect(told(participant(s(1), "UPDATED", "c", "bob", { access: "READ" }), fromAnn(2, "m1"))).toEqual(["302 c: m1"]);
  });

  test("where mentions count, an edit that newly mentions makes a candidate, and one that no longer does ends it", () => {
    const mention = [mentionsOnly(1), fromAnn(10, "m1"), edited(100, "m1", ["bob"])];
    expect(told(...mention)).toEqual(["400 c: m1"]);
    expect(told(...mention, edited(150, "m1", []))).toEqual([]);
    expect(told(...mention, edited(150, "m1", []), edited(200, "m1", ["bob", "ann"]))).toEqual(["500 c: m1"]);
    // The same edit again mentions nobody newly.
    expect(told(...mention, edited(150, "m1", ["ann", "bob"]), edited(200, "m1", ["bob"]))).toEqual(["400 c: m1"]);
    expect(told(mentionsOnly(1), edited(5, "unknown", ["bob"]))).toEqual([]);
  });

  test("someone who attended has missed nothing, but a session that lapses attended only until its latest sign of life", () => {
    const there = [bob(0, "ONLINE", "c"), fromAnn(30, "m1"), bob(40, "HEARTBEAT", "c"), fromAnn(40, "m2")];
    expect(told(...there)).toEqual(["340 c: m2"]);
    expect(told(...there, bob(41, "OFFLINE"))).toEqual([]);
    expect(told(bob(0, "ONLINE", "other"), fromAnn(30, "m1"), bob(40, "OFFLINE"))).toEqual(["340 c: m1"]);
  });

  test("a message is missed no more after a read up to it, or a later message of the recipient's own; marking as unread changes nothing", () => {
    expect(told(fromAnn(10, "m1"), fromAnn(20, "m2"), bob(20, "READ", "c"), bob(30, "MARKED_UNREAD", "c"))).toEqual([]);
    const upTo = presence(s(50), "READ", "bob", { conversationId: "c", readUntil: s(10) });
    expect(told(fromAnn(10, "m1"), fromAnn(20, "m2"), upTo)).toEqual(["320 c: m2"]);
    expect(told(fromAnn(10, "m1"), bob(20, "READ", "other"))).toEqual(["310 c: m1"]);
    expect(told(fromAnn(10, "m1"), message(s(20), "SENT", "c", "m2", { senderId: "bob" }))).toEqual([]);
    expect(told(message(s(20), "SENT", "c", "m2", { senderId: "bob" }), fromAnn(20, "m1"))).toEqual(["320 c: m1"]);
  });

  test("a message is missed no more once it, its conversation or its recipient is deleted, or the recipient has left, even after a return", () => {
    expect(told(fromAnn(10, "m1"), message(s(20), "DELETED", "c", "m1"))).toEqual([]);
    const back = [participant(s(20), "LEFT", "c", "bob"), participant(s(30), "JOINED", "c", "bob"), fromAnn(40, "m2")];
    expect(told(fromAnn(10, "m1"), ...back)).toEqual(["340 c: m2"]);
    expect(told(fromAnn(10, "m1"), user(s(20), "bob", null), fromAnn(30, "m2"))).toEqual([]);
    expect(told(user(s(20), "bob", null), user(s(30), "bob"), fromAnn(40, "m2"))).toEqual(["340 c: m2"]);
    const restored = [conversation(s(20), "c", null), fromAnn(25, "m2"), conversation(s(30), "c"), fromAnn(40, "m3")];
    expect(told(fromAnn(10, "m1"), ...restored)).toEqual(["340 c: m3"]);
    // Only messages that mention them count from then on.
    expect(told(fromAnn(10, "m1"), fromAnn(11, "m2", { mentions: ["bob"] }), mentionsOnly(20))).toEqual(["311 c: m2"]);
  });
});

describe("the time of telling", () => {
  test("the timeout counts from going away: by an OFFLINE within the session's time, else by the latest sign", () => {
    const there = [bob(20, "ONLINE"), fromAnn(10, "m1")];
    expect(told(...there)).toEqual(["320 c: m1"]);
    expect(told(...there, bob(60, "OFFLINE"))).toEqual(["360 c: m1"]);
    expect(told(...there, bob(65, "OFFLINE"))).toEqual(["365 c: m1"]);
    expect(told(...there, bob(66, "OFFLINE"))).toEqual(["320 c: m1"]);
  });

  test("nobody is told in the middle of a burst, for a minute at most", () => {
    const quick = byDefault({ timeout: 60, settle: 10 });
    const burst = [0, 55, 64, 73].map((at) => fromAnn(at, `m${at}`));
    expect(told(quick, ...burst)).toEqual(["83 c: m0 m55 m64 m73"]);
    const longer = [82, 91, 100, 109, 118, 127].map((at) => fromAnn(at, `m${at}`));
    expect(told(quick, ...burst, ...longer)[0]).toBe("120 c: m0 m55 m64 m73 m82 m91 m100 m109 m118");
  });

  test("each notification about a conversation cools down for longer, until the recipient comes online or reads it", () => {
    const three = [fromAnn(0, "m1"), fromAnn(310, "m2"), fromAnn(1210, "m3")];
    const each = ["300 c: m1", "1200 c: m2", "3000 c: m3"];
    expect(told(...three)).toEqual(each);
    expect(told(...three, bob(3010, "READ", "c"), fromAnn(3020, "m4"))).toEqual([...each, "3320 c: m4"]);
    expect(told(...three, bob(3010, "ONLINE"), fromAnn(3020, "m4"))).toEqual([...each, "3320 c: m4"]);
    expect(told(...three, bob(3010, "READ", "other"), fromAnn(3020, "m4"))).toEqual([...each, "6600 c: m4"]);
  });

  test("quiet hours hold by the recipient's clock, even when it is put forward", () => {
    const quiet = settings(noon, "default", { quietHours: { from: "22:00", to: "07:00", timezone: "Europe/Berlin" } });
    const night = Date.parse("2026-03-28T21:30Z");
    const lines = [...together, quiet].map((line) => ({ ...line, at: night - 1000 }));
    const sent = message(night, "SENT", "c", "m1", { senderId: "ann" });
    const at = (...more: Line[]): string[] =>
      judge([...lines, ...more, sent], s(0)).map((notification) => new Date(notification.at).toISOString());
    expect(at()).toEqual(["2026-03-29T05:00:00.000Z"]);
    expect(at(user(night - 500, "bob", { timezone: "America/New_York" }))).toEqual(["2026-03-28T21:35:00.000Z"]);
    expect(at(user(night - 500, "bob", { timezone: "UTC" }))).toEqual(["2026-03-28T21:35:00.000Z"]);
  });

  test("a day's cap holds notifications beyond it until local midnight, the longest missed first", () => {
    const both = [participant(noon, "JOINED", "d", "bob"), fromAnn(20, "m2"), fromAnn(10, "m1", {}, "d")];
    expect(told(byDefault({ dailyCap: 1 }), ...both)).toEqual(["310 d: m1", "43200 c: m2"]);
    const berlin = user(noon, "bob", { timezone: "Europe/Berlin" });
    expect(told(byDefault({ dailyCap: 1 }), berlin, ...both)).toEqual(["310 d: m1", "36000 c: m2"]);
  });

  test("grouped by recipient, a notification is about all missed messages, and cools down for all of them", () => {
    const other = participant(noon, "JOINED", "d", "bob");
    const lines = [byDefault({ group: "recipient" }), other, fromAnn(20, "m2"), fromAnn(10, "m1", {}, "d")];
    expect(told(...lines, fromAnn(400, "m3"))).toEqual(["310 null: m1 m2", "1210 c: m3"]);
    expect(told(...lines, bob(350, "READ", "d"), fromAnn(400, "m3"))).toEqual(["310 null: m1 m2", "700 c: m3"]);
  });

  test("where a role says so, someone online is told of the conversations that they don't attend", () => {
    const other = participant(noon, "JOINED", "d", "bob");
    const there = Array.from({ length: 20 }, (_, number) => bob(number * 40, "HEARTBEAT", "c"));
    const lines = [other, ...there, fromAnn(10, "m1"), fromAnn(10, "m2", {}, "d")];
    expect(told(byDefault({ whileOnline: "notify" }), ...lines)).toEqual(["310 d: m2"]);
    expect(told(...lines)).toEqual(["1060 d: m2"]);
  });
});

describe("the reasons", () => {
  test("the reasons are the first of clauses 1 to 3 that fails, or else all of 4 to 9 that fail", () => {
    const system = message(s(1), "SENT", "c", "m1", { kind: "SYSTEM", senderId: "bob" });
    expect(why("m1", participant(s(0), "UPDATED", "c", "bob", { notify: "NONE" }), system)).toEqual([
      "system_message self",
    ]);
    const muted = participant(s(1), "UPDATED", "c", "bob", { access: "NONE", notify: "NONE" });
    expect(why("m1", muted, conversation(s(2), "c", null), fromAnn(3, "m1"))).toEqual(["no_access"]);
    expect(why("m1", participant(s(1), "LEFT", "c", "bob"), fromAnn(2, "m1"))).toEqual(["not_participant"]);
    const gone = [user(s(1), "bob", null), conversation(s(1), "c", null)];
    expect(why("m1", ...gone, fromAnn(3, "m1"))).toEqual(["conversation_deleted user_deleted"]);
    const there = [bob(0, "ONLINE", "c"), fromAnn(1, "m1"), bob(2, "READ", "c"), bob(3, "OFFLINE")];
    expect(why("m1", ...there, participant(s(4), "LEFT", "c", "bob"))).toEqual(["attending left read"]);
    expect(why("m1", fromAnn(1, "m1"), message(s(9), "DELETED", "c", "m1"))).toEqual(["deleted"]);
  });

  test("each moment at which a message newly mentions somebody has reasons of its own", () => {
    const lines = [mentionsOnly(1), fromAnn(10, "m1"), edited(20, "m1", ["bob"])];
    expect(why("m1", ...lines)).toEqual(["not_mentioned", "told"]);
    expect(why("m1", ...lines, edited(30, "m1", []))).toEqual(["not_mentioned", "unmentioned"]);
    const mutedThen = participant(s(15), "UPDATED", "c", "bob", { notify: "NONE" });
    expect(why("m1", ...lines, mutedThen)).toEqual(["not_mentioned", "muted"]);
  });

  test("the first clause of When that fails is the reason why somebody is not told yet", () => {
    const slow = byDefault({ timeout: 60, settle: 10, dailyCap: 1 });
    const there = [bob(0, "ONLINE"), fromAnn(10, "m1"), fromAnn(105, "m2"), bob(45, "OFFLINE")];
    expect(held(slow, ...there)).toEqual(["10 online", "45 timeout", "105 settle", "115"]);
    expect(held(slow, fromAnn(0, "m1"), fromAnn(61, "m2"))).toEqual([
      "0 timeout",
      "60",
      "61 timeout",
      "121 cooldown",
      "960 daily_cap",
      "43200",
    ]);
    const quiet = byDefault({ timeout: 0, settle: 0, quietHours: { from: "12:00", to: "13:00", timezone: null } });
    expect(held(quiet, fromAnn(10, "m1"))).toEqual(["10 quiet_hours", "3600"]);
  });
});

describe("the order of records", () => {
  test("a role's settings hold from their time on, the default's where it has none", () => {
    const guest = [byDefault({ timeout: 100 }), user(noon, "bob", { role: "guest" })];
    expect(told(...guest, fromAnn(10, "m1"))).toEqual(["110 c: m1"]);
    const slower = settings(s(50), "guest", { timeout: 200 });
    expect(told(...guest, slower, fromAnn(10, "m1"))).toEqual(["210 c: m1"]);
    expect(told(...guest, slower, settings(s(150), "guest", null), fromAnn(10, "m1"))).toEqual(["150 c: m1"]);
  });

  test("records of a time come before its timers, and those of a later time undo nothing", () => {
    expect(told(fromAnn(10, "m1"), bob(310, "READ", "c"))).toEqual([]);
    expect(told(fromAnn(10, "m1"), bob(310.001, "READ", "c"))).toEqual(["310 c: m1"]);
  });

  test("a late record counts as of its own time and takes nothing back; one from the future counts as now", () => {
    const late = (line: Line, at: number): Line => ({ ...line, at: s(at) });
    expect(told(late(fromAnn(10, "m1"), 600))).toEqual(["600 c: m1"]);
    expect(told(fromAnn(10, "m1"), late(bob(20, "READ", "c"), 309))).toEqual([]);
    expect(told(fromAnn(10, "m1"), late(bob(20, "READ", "c"), 311))).toEqual(["310 c: m1"]);
    expect(told(bob(10, "ONLINE"), fromAnn(20, "m1"), late(bob(40, "OFFLINE"), 100))).toEqual(["340 c: m1"]);
    expect(told(fromAnn(10, "m1", { occurredAt: s(3600) }))).toEqual(["310 c: m1"]);
  });

  test("a repeated record changes nothing", () => {
    expect(told(fromAnn(10, "m1"), fromAnn(400, "m1"), fromAnn(500, "m1"))).toEqual(["310 c: m1"]);
  });
});
