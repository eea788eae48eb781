import { expect, test } from "vitest";
import { Poison } from "../core/failure.ts";
import { defaultSettings } from "../core/settings.ts";
import { revised } from "./revise.ts";

const set = (...assignments: readonly string[]) => revised(defaultSettings, assignments);

test("what is named changes, the rest stays", () => {
  expect(set("timeout=120", "cooldown.first=600", "emailEnabled=false", "whileOnline=notify")).toEqual({
    ...defaultSettings,
    timeout: 120,
    cooldown: { ...defaultSettings.cooldown, first: 600 },
    emailEnabled: false,
    whileOnline: "notify",
  });
});

test.each([
  ["quietHours=22:00-07:00@Europe/Berlin", { from: "22:00", to: "07:00", timezone: "Europe/Berlin" }],
  ["quietHours=09:00-17:30", { from: "09:00", to: "17:30", timezone: null }],
  ["quietHours=none", null],
])("%s", (assignment, quietHours) => {
  expect(set("quietHours=01:00-02:00", assignment).quietHours).toEqual(quietHours);
});

test("a cap is set and taken away", () => {
  expect(set("dailyCap=3").dailyCap).toBe(3);
  expect(revised(set("dailyCap=3"), ["dailyCap=none"]).dailyCap).toBeNull();
});

test.each([
  ["timeout=901", /^timeout: .*900/],
  ["timeout=", /^timeout: /],
  ["timeout=soon", /^timeout: /],
  ["timeout=-1", /^timeout: /],
  ["settle=61", /^settle: .*60/],
  ["cooldown.factor=0", /^cooldown\.factor: .*1/],
  ["whileOnline=maybe", /^whileOnline: /],
  ["emailEnabled=yes", /^emailEnabled: /],
  ["dailyCap=0", /^dailyCap: .*1/],
  ["quietHours=22-7", /^quietHours\.from: must be HH:MM.*; quietHours\.to: must be HH:MM/],
  ["quietHours=22:00-07:00@Mars", /^quietHours\.timezone: must be an IANA time zone/],
  ["quietHours=never", /^quietHours: /],
  ["timeOut=3", /^"timeOut=3" sets nothing: what can be set is timeout=seconds, .*cooldown\.first=seconds/],
  ["constructor=3", /^"constructor=3" sets nothing/],
  ["timeout", /^"timeout" sets nothing/],
])("%s is refused, by its name and what is right", (assignment, why) => {
  expect(() => set(assignment)).toThrow(Poison);
  expect(() => set(assignment)).toThrow(why);
});

test("every mistake is told at once", () => {
  expect(() => set("timeout=901", "settle=61")).toThrow(/timeout: .*; settle: /);
});
