import { expect, test } from "vitest";
import { Poison } from "../../platform/contract/failure.ts";
import { defaultSettings } from "../../domain/role-settings.ts";
import { revised } from "./revise.ts";

const set = (...assignments: readonly string[]) => revised(defaultSettings, assignments);

test("settings that are named change; the others stay", () => {
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

test("a daily cap is set and removed", () => {
  expect(set("dailyCap=3").dailyCap).toBe(3);
  expect(revised(set("dailyCap=3"), ["dailyCap=none"]).dailyCap).toBeNull();
});

test.each([
  ["timeout=901", /^timeout: must be a number from 0 to 900$/],
  ["timeout=", /^timeout: must be a number from 0 to 900$/],
  ["timeout=soon", /^timeout: must be a number from 0 to 900$/],
  ["timeout=-1", /^timeout: must be a number from 0 to 900$/],
  ["settle=61", /^settle: must be a number from 0 to 60$/],
  ["cooldown.first=-1", /^cooldown\.first: must be a number from 0 to 86400$/],
  ["cooldown.factor=0", /^cooldown\.factor: must be a number from 1 to 10$/],
  ["cooldown.max=604801", /^cooldown\.max: must be a number from 0 to 604800$/],
  ["whileOnline=maybe", /^whileOnline: must be hold or notify$/],
  ["group=none", /^group: must be conversation or recipient$/],
  ["emailEnabled=yes", /^emailEnabled: must be true or false$/],
  ["dailyCap=0", /^dailyCap: must be a whole number from 1 to 1000$/],
  ["dailyCap=1.5", /^dailyCap: must be a whole number from 1 to 1000$/],
  ["quietHours=22-7", /^quietHours\.from: must be HH:MM.*; quietHours\.to: must be HH:MM/],
  ["quietHours=22:00-07:00@Mars", /^quietHours\.timezone: must be an IANA time zone/],
  ["quietHours=never", /^quietHours: must be hours of a day: HH:MM-HH:MM\[@ZONE\]/],
  ["timeOut=3", /^"timeOut=3" sets nothing: what can be set is timeout=seconds, .*cooldown\.first=seconds/],
  ["constructor=3", /^"constructor=3" sets nothing/],
  ["timeout", /^"timeout" sets nothing/],
])("%s is refused by its name and its range", (assignment, why) => {
  expect(() => set(assignment)).toThrow(Poison);
  expect(() => set(assignment)).toThrow(why);
});

test("every mistake is named at once", () => {
  expect(() => set("timeout=901", "settle=61")).toThrow(/timeout: .*; settle: /);
});
