import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { HOUR, MAX_TIME, type Millis, MINUTE } from "../platform/contract/time.ts";
import { endOfHours, isTimeZone, localDay } from "./zone.ts";

const utc = (text: string): Millis => Temporal.Instant.from(`${text}Z`).epochMilliseconds;
const night = { from: "22:00", to: "07:00" };

describe("hours of the day", () => {
  test.each([
    ["before the hours", "2026-06-10T19:59:59.999", "2026-06-10T19:59:59.999"],
    ["at the beginning", "2026-06-10T20:00", "2026-06-11T05:00"],
    ["after midnight", "2026-06-10T23:30", "2026-06-11T05:00"],
    ["at the end", "2026-06-11T05:00", "2026-06-11T05:00"],
  ])("hours that wrap midnight end in the morning: %s", (_where, from, to) => {
    expect(endOfHours(utc(from), "Europe/Berlin", night)).toBe(utc(to));
  });

  test("hours from a time to the same time never hold", () => {
    const at = utc("2026-06-10T08:00");
    expect(endOfHours(at, "UTC", { from: "08:00", to: "08:00" })).toBe(at);
  });

  test("hours are an hour shorter in the night when clocks go forward, and an hour longer when they go back", () => {
    expect(endOfHours(utc("2026-03-28T21:00"), "Europe/Berlin", night)).toBe(utc("2026-03-29T05:00"));
    expect(endOfHours(utc("2026-10-24T20:00"), "Europe/Berlin", night)).toBe(utc("2026-10-25T06:00"));
  });

  test("hours end where the clock jumps over their end", () => {
    expect(endOfHours(utc("2026-03-29T00:30"), "Europe/Berlin", { from: "01:00", to: "02:30" })).toBe(
      utc("2026-03-29T01:00"),
    );
  });

  test("hours begin again in an hour that comes twice", () => {
    const hours = { from: "02:00", to: "02:30" };
    expect(endOfHours(utc("2026-10-25T00:10"), "Europe/Berlin", hours)).toBe(utc("2026-10-25T00:30"));
    expect(endOfHours(utc("2026-10-25T01:10"), "Europe/Berlin", hours)).toBe(utc("2026-10-25T01:30"));
  });

  test("hours are local also where clocks move by half an hour", () => {
    const hours = { from: "01:00", to: "02:15" };
    expect(endOfHours(utc("2026-10-03T15:00"), "Australia/Lord_Howe", hours)).toBe(utc("2026-10-03T15:30"));
  });
});

test("a local day has 23, 24 or 25 hours", () => {
  const lengthOn = (day: string): Millis => {
    const { start, end } = localDay(utc(`${day}T12:00`), "America/New_York");
    return end - start;
  };
  expect(["2026-03-07", "2026-03-08", "2026-11-01"].map((day) => lengthOn(day))).toEqual(
    [24, 23, 25].map((h) => h * HOUR),
  );
  expect(localDay(utc("2026-06-10T03:59"), "America/New_York").end).toBe(utc("2026-06-10T03:59") + MINUTE);
});

test("the last moment of all dates has quiet hours, and a local day that ends at Infinity", () => {
  for (const zone of ["Europe/Berlin", "America/New_York", "UTC"]) {
    expect(localDay(MAX_TIME, zone).end).toBe(Infinity);
    expect(endOfHours(MAX_TIME, zone, { from: "12:00", to: "11:00" })).toBeGreaterThan(MAX_TIME);
  }
});

test("a time zone is a name in the time zone database", () => {
  expect(["Europe/Berlin", "UTC", "Berlin", "", "Europe/Berlin\u0000"].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
