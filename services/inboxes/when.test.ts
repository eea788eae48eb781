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

/** Ada's inbox, by settings that hold nothing back but what they name. */
const by = (fields: Partial<SettingsFields>): Spec<Inbox> => of(inboxes, bookOf(fields));

describe("settled: nobody is told in the middle of a burst", () => {
  const settle = { timeout: 300, settle: 10 };

  test("a message just before the time is up puts it off", () => {
    by(settle)
      .after(missed("m1", "12:01"), missed("m2", "12:05:55"))
      .until("13:00")
      .tells(told("12:06:05", "c", "m1", "m2"));
  });

  test("each more puts it off again, but for no longer than a minute", () => {
    const burst = Array.from({ length: 20 }, (_none, index) =>
      missed(`b${index}`, `12:${5 + Math.floor((55 + 5 * index) / 60)}:${(55 + 5 * index) % 60}`),
    );
    by(settle)
      .after(missed("m1", "12:01"), ...burst)
      .until("12:07")
      .tells(told("12:07", "c", "m1", ...Array.from({ length: 14 }, (_none, index) => `b${index}`)));
  });
});

describe("cooled down: the next notification about a conversation waits", () => {
  const cooldown = { cooldown: { first: 600, factor: 2, max: 1_500 } };
  const messages = ["12:01", "12:02", "12:12", "12:32", "13:00"].map((clock, index) => missed(`m${index}`, clock));

  test("longer each time, up to the longest", () => {
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

  test("and starts over when the recipient comes online, be it for a moment", () => {
    by(cooldown)
      .after(...messages.slice(0, 2), online("12:03"), offline("12:03:30"))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:03:30", "c", "m1"));
  });

  test("and starts over when they read in that conversation, not in another", () => {
    by(cooldown)
      .after(...messages.slice(0, 2), reads("12:03", "12:01"))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:03", "c", "m1"));
    by(cooldown)
      .after(...messages.slice(0, 2), reads("12:03", null, { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:01", "c", "m0"), told("12:11", "c", "m1"));
  });

  test("as long as before also when the conversation was silent for months", () => {
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

  test("one about another conversation doesn't wait for it", () => {
    by(cooldown)
      .after(missed("m1", "12:01"), missed("m2", "12:02", { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:01", "c", "m1"), told("12:02", "d", "m2"));
  });
});

describe("whileOnline: notify", () => {
  const notify = { timeout: 60, whileOnline: "notify" } as const;

  test("tells who is online but doesn't attend the conversation", () => {
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

  test("waits while they attend it", () => {
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

describe("not in quiet hours", () => {
  const quietHours = { from: "22:00", to: "07:00", timezone: "Europe/Berlin" };

  test("but at their end, in the recipient's own time zone", () => {
    by({ quietHours })
      .after(profile("12:00", { timezone: "America/New_York" }), missed("m1", "27:30")) // 22:30 there
      .until("48:00")
      .tells(told("36:00", "c", "m1"));
  });

  test("by the role's time zone where they have none, or one that doesn't exist", () => {
    for (const timezone of [null, "Mars/Olympus"])
      by({ quietHours })
        .after(profile("12:00", { timezone }), missed("m1", "22:30"))
        .until("48:00")
        .tells(told("30:00", "c", "m1"));
  });

  test("what is read meanwhile is not told", () => {
    by({ quietHours }).after(missed("m1", "22:30"), reads("23:00")).until("48:00").tells();
  });
});

describe("under the cap", () => {
  test("of so many a day, by the recipient's midnight, whatever the conversation", () => {
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
  test("tells of everything as soon as one conversation may be told", () => {
    const { conversationId, snapshot } = by({ timeout: 300, group: "recipient" })
      .after(missed("m1", "12:01"), missed("m2", "12:04", { conversationId: "d" }), missed("m3", "12:05"))
      .until("13:00")
      .notification();
    expect(conversationId).toBeNull();
    expect(snapshot?.conversations.map((each) => each.conversationId)).toEqual(["d", "c"]);
  });

  test("about one conversation names it", () => {
    by({ group: "recipient" })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:01", "c", "m1"));
  });

  test("cools down by recipient", () => {
    by({ group: "recipient", cooldown: { first: 600, factor: 1, max: 600 } })
      .after(missed("m1", "12:01"), missed("m2", "12:02", { conversationId: "d" }))
      .until("13:00")
      .tells(told("12:01", "c", "m1"), told("12:11", "d", "m2"));
  });
});

describe("a settings change", () => {
  const changed = (before: Partial<SettingsFields>, clock: string, after: Partial<SettingsFields>) =>
    of(inboxes, settingsTable.apply(bookOf(before), logRecord(settingsSaid(after, at(clock)))));

  test("holds from its time on, for what is missed already", () => {
    changed({ timeout: 300 }, "12:03", { timeout: 60 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:03", "c", "m1"));
    changed({ timeout: 300 }, "12:03", { timeout: 900 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:16", "c", "m1"));
  });

  test("changes nothing about what was told before it", () => {
    changed({ timeout: 60 }, "12:03", { timeout: 900 })
      .after(missed("m1", "12:01"))
      .until("13:00")
      .tells(told("12:02", "c", "m1"));
  });

  test("of a role is for those who have it; others go by default's", () => {
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

describe("what is held, and what is told, is on record with what it was decided from", () => {
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
