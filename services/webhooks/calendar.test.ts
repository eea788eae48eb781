import fc from "fast-check";
import { expect, test } from "vitest";
import { httpDate, iso8601 } from "./calendar.ts";

const MAX_DATE = 8.64e15;
const now = Date.parse("2026-11-22T14:18:00Z");

test("iso8601 writes every time that ECMAScript knows as toISOString does", () => {
  const anyTime = fc.oneof(
    fc.integer({ min: -MAX_DATE, max: MAX_DATE }),
    fc.integer({ min: 0, max: 4e12 }),
    fc.constantFrom(-MAX_DATE, 0, -1, MAX_DATE, Date.UTC(2000, 1, 29), Date.UTC(1900, 1, 28, 23, 59, 59, 999)),
  );
  fc.assert(
    fc.property(anyTime, (at) => {
      expect(iso8601(at)).toBe(new Date(at).toISOString());
    }),
    { numRuns: 2_000 },
  );
});

test("httpDate reads back every HTTP-date of toUTCString", () => {
  const seconds = fc.integer({ min: Date.UTC(1, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
  fc.assert(
    fc.property(seconds, (at) => {
      expect(httpDate(new Date(at * 1000).toUTCString(), now)).toBe(at * 1000);
    }),
    { numRuns: 2_000 },
  );
});

test.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])(
  "httpDate reads %s as the time in RFC 9110's example",
  (text) => {
    expect(httpDate(text, now)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  },
);

test("httpDate reads a year of two digits as at most 50 years ahead", () => {
  expect(httpDate("Sunday, 01-Jan-76 00:00:00 GMT", now)).toBe(Date.UTC(2076, 0, 1));
  expect(httpDate("Saturday, 01-Jan-77 00:00:00 GMT", now)).toBe(Date.UTC(1977, 0, 1));
});

test.each([
  "",
  "soon",
  "120",
  "2026-11-22T14:18:00Z",
  "Sun, 06 Foo 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 CET",
])("httpDate rejects %j", (text) => expect(httpDate(text, now)).toBeNull());
