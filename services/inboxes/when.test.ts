import { describe, expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import { of, type Spec, told } from "../../test/support/spec.ts";
import { heartbeat, missed, offline, online, profile, reads } from "../../test/support/inbox.ts";
import { bookOf, settingsSaid } from "../../test/support/settings.ts";
import { logRecord } from "../../test/support/spec.ts";
import { at } from "../../test/support/chat.ts";
import { type SettingsFields, settingsTable } from "../domain/role-settings.ts";
import { inboxes } from "./rule.ts";
import type { Inbox } from "./state.ts";

/** Spec of an inbox by settings whose only holds are the ones named. */
const by = (fields: Partial<SettingsFields>): Spec<Inbox> => of(inboxes, bookOf(fields));

describe("settled: a burst of messages puts the notification off", () => {
  const settle = { timeout: 300, settle: 10 };

  test("a message just before the due time puts the notification off", () => {
    by(settle)
      .after(missed("m1", "12:01"), missed("m2", "12:05:55"))
      .until("13:00")
      .tells(told("12:06:05", "c", "m1", "m2"));
  });

  test("further messages put the notification off for no longer than a minute", () => {
    const burst = Array.from({ length: 20 }, (_none, index) =>
      missed(`b${index}`, `12:${5 + Math.floor((55 + 5 * index) / 60)}:${(55 + 5 * index) % 60}`),
    );
    by(settle)
      .after(missed("m1", "12:01"), ...burst)
      .until("12:07")
      .tells(told("12:07", "c", "m1", ...Array.from({ length: 14 }, (_none, index) => `b${index}`)));
  });
});

describe("cooled down: a notification about the same conversation waits", () => {
  const cooldown = { cooldown: { first: 600, factor: 2, max: 1_500 } };
  const messages = ["12:01", "12:02", "12:12", "12:32", "13:00"].map((clock, index) => missed(`m${index}`, clock));

  test("the cooldown grows with each notification up to its maximum", () => {
    by(cooldown)
      .after(...messages)
      .until("23:00")
      .tells(
        told("12:01", "c", "m0"),
        told("12:11", "c", "m1"),
        told("12:31", "c", "m2"),
        told("12:56", "c", "m3"),
        told("13:21", "c", "m4"),
      );
  });

  test("the cooldown starts over when the recipient comes online, even for a moment", () => {
    by(cooldown)
      .after(...messages.slice(0, 2), online("12:03"), offline("12:03:30"))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:03:30", "c", "m1"));
  });

  test("the cooldown starts over when the recipient reads that conversation, not another", () => {
    by(cooldown)
      .after(...messages.slice(0, 2), reads("12:03", "12:01"))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:03", "c", "m1"));
    by(cooldown)
      .after(...messages.slice(0, 2), reads("12:03", null, { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:11", "c", "m1"));
  });

  test("the cooldown still counts earlier notifications after months of silence", () => {
    const [day, third] = [24, 24 * 90];
    const late = [missed("m3", `${third}:00`), missed("m4", `${third}:01`)];
    by(cooldown)
      .after(...messages.slice(0, 3), ...late)
      .until(`${third + day}:00`)
      .tells(
        told("12:01", "c", "m0"),
        told("12:11", "c", "m1"),
        told("12:31", "c", "m2"),
        told(`${third}:00`, "c", "m3"),
        told(`${third}:25`, "c", "m4"),
      );
    const { rows } = by(cooldown)
      .after(...messages.slice(0, 3), online(`${day}:00`), offline(`${day}:01`))
      .until(`${third}:00`);
    expect([...rows.values()].map(({ threads }) => threads.size)).toEqual([0]);
  });

  test("the cooldown of one conversation does not hold back another", () => {
    by(cooldown)
      .after(missed("m1", "12:01"), missed("m2", "12:02", { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:01", "c", "m1"), told("12:02", "d", "m2"));
  });
});

describe("whileOnline: notify", () => {
  const notify = { timeout: 60, whileOnline: "notify" } as const;

  test("a recipient who is online and does not attend the conversation is told", () => {
    by(notify)
      .after(
        online("12:00:30"),
        missed("m1", "12:01"),
        heartbeat("12:01:10"),
        heartbeat("12:01:50"),
        heartbeat("12:02:30"),
      )
      .until("12:02:30")
      .tells(told("12:02", "c", "m1"));
  });

  test("a recipient who attends the conversation is not told", () => {
    by(notify)
      .after(
        missed("m1", "12:01"),
        online("12:01:30", "tab", "c"),
        heartbeat("12:02:10", "tab", "c"),
        heartbeat("12:02:30"),
      )
      .until("13:00")
      .tells(told("12:02:30", "c", "m1"));
  });
});

describe("quiet hours", () => {
  const quietHours = { from: "22:00", to: "07:00", timezone: "Europe/Berlin" };

  test("a notification waits for the end of quiet hours in the recipient's own time zone", () => {
    by({ quietHours })
      .after(profile("12:00", { timezone: "America/New_York" }), missed("m1", "27:30")) // 22:30 there
      .until("48:00")
      .tells(told("36:00", "c", "m1"));
  });

  test("quiet hours go by the role's time zone if the recipient has none, or an unknown one", () => {
    for (const timezone of [null, "Mars/Olympus"])
      by({ quietHours })
        .after(profile("12:00", { timezone }), missed("m1", "22:30"))
        .until("48:00")
        .tells(told("30:00", "c", "m1"));
  });

  test("a message read during quiet hours is not told", () => {
    by({ quietHours }).after(missed("m1", "22:30"), reads("23:00")).until("48:00").tells();
  });
});

describe("daily cap", () => {
  test("notifications beyond the daily cap wait for the recipient's midnight, in every conversation", () => {
    const five = ["c", "d", "e"].map((conversationId, index) =>
      missed(`m${index}`, `12:0${index + 1}`, { conversationId }),
    );
    by({ dailyCap: 2 })
      .after(profile("12:00", { timezone: "Europe/Berlin" }), ...five)
      .until("48:00")
      .tells(told("12:01", "c", "m0"), told("12:02", "d", "m1"), told("23:00", "e", "m2"));
  });
});

describe("group: recipient", () => {
  test("one notification is about all conversations as soon as one of them is due", () => {
    const { conversationId, snapshot } = by({ timeout: 300, group: "recipient" })
      .after(missed("m1", "12:01"), missed("m2", "12:04", { conversationId: "d" }), missed("m3", "12:05"))
      .until("13:00")
      .notification();
    expect(conversationId).toBeNull();
    expect(snapshot?.conversations.map((each) => each.conversationId)).toEqual(["d", "c"]);
  });

  test("a notification about a single conversation names it", () => {
    by({ group: "recipient" })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:01", "c", "m1"));
  });

  test("the cooldown counts by recipient", () => {
    by({ group: "recipient", cooldown: { first: 600, factor: 1, max: 600 } })
      .after(missed("m1", "12:01"), missed("m2", "12:02", { conversationId: "d" }))
      .until("13:00")
      .tells(told("12:01", "c", "m1"), told("12:11", "d", "m2"));
  });
});

describe("settings changes", () => {
  const changed = (before: Partial<SettingsFields>, clock: string, after: Partial<SettingsFields>) =>
    of(inboxes, settingsTable.apply(bookOf(before), logRecord(settingsSaid(after, at(clock)))));

  test("a settings change holds from its time on, also for messages missed before", () => {
    changed({ timeout: 300 }, "12:03", { timeout: 60 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:03", "c", "m1"));
    changed({ timeout: 300 }, "12:03", { timeout: 900 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:16", "c", "m1"));
  });

  test("a settings change does not undo an earlier notification", () => {
    changed({ timeout: 60 }, "12:03", { timeout: 900 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:02", "c", "m1"));
  });

  test("settings of a role hold for its users only, and `default` for the others", () => {
    const guests = settingsTable.apply(
      bookOf({ timeout: 300 }),
      logRecord(settingsSaid({ timeout: 60 }, at("00:00"), "guest")),
    );
    of(inboxes, guests)
      .after(profile("12:00", { role: "guest" }), missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:02", "c", "m1"));
    of(inboxes, guests)
      .after(profile("12:00", { role: "host" }), missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:06", "c", "m1"));
  });
});

describe("HELD and TRIGGERED verdicts carry the facts they were decided from", () => {
  const [first, second] = [missed("m1", "12:01"), missed("m2", "12:02")];
  const ofBoth = { first: String(at("12:01")), last: String(at("12:02")) };
  const ofSecond = { first: String(at("12:02")), last: String(at("12:02")) };
  const quiet = { quietHours: { from: "12:00", to: "13:00", timezone: "Europe/London" } };

  test.each<[string | null, Partial<SettingsFields>, readonly NewRecord[], Readonly<Record<string, string>>]>([
    ["timeout", { timeout: 300 }, [offline("11:59")], { first: ofBoth.first, last: ofBoth.first, timeout: "300 s" }],
    ["settle", { timeout: 60, settle: 20 }, [], { ...ofBoth, settle: "20 s" }],
    ["online", {}, [online("12:00:30", "tab", "d")], { first: ofBoth.first, last: ofBoth.first }],
    ["cooldown", { cooldown: { first: 600, factor: 2, max: 1_500 } }, [], { ...ofSecond, toldAt: String(at("12:01")) }],
    ["quiet_hours", quiet, [], { first: ofBoth.first, last: ofBoth.first, quietHours: "12:00-13:00 Europe/London" }],
    ["daily_cap", { dailyCap: 1 }, [], { ...ofSecond, dailyCap: "1 a day" }],
    [
      null,
      { timeout: 60 },
      [online("12:00:10"), offline("12:00:20")],
      { first: ofBoth.first, awaySince: String(at("12:00:20")) },
    ],
  ])("%s", (reason, fields, before, facts) => {
    const outcome = by(fields)
      .after(...before, first, second)
      .until("12:02");
    expect(outcome.facts(reason)).toEqual(facts);
  });
});
