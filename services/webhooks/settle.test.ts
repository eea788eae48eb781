import fc from "fast-check";
import { expect, test } from "vitest";
import { webhookRetries } from "../domain/retry.ts";
import { DAY, MINUTE, SECOND } from "../platform/contract/time.ts";
import { type Answer, type FailureKind, type CallResult, settle } from "./settle.ts";

const at = Date.parse("2026-11-22T12:00:00Z");
const answer = (status: number, more: Partial<Answer> = {}): Answer => ({
  status,
  excerpt: "",
  retryAfter: null,
  location: null,
  duration: 5,
  ...more,
});
const failure = (kind: FailureKind): CallResult => ({ failure: kind, message: "why", duration: 5 });
const after = (result: CallResult, attempt = 1, chance = 0) => settle(result, { attempt, at, chance });
const waits = (result: CallResult, attempt = 1, chance = 0): number => {
  const settled = after(result, attempt, chance);
  return settled.state === "retry" ? settled.runAt - at : Number.NaN;
};

test("any 2xx is done", () => {
  for (let status = 200; status < 300; status++) expect(after(answer(status))).toEqual({ state: "done" });
});

test("410 Gone is dead at once", () => {
  expect(after(answer(410))).toEqual({ state: "dead", error: "HTTP 410: the endpoint is gone and wants no more" });
});

test.each([302, 304, 400, 401, 404, 408, 429, 500, 503])("%i is retried by the schedule", (status) => {
  webhookRetries.forEach((wait, index) => expect(waits(answer(status), index + 1)).toBe(wait));
});

test.each(["forbidden", "name", "connect", "tls", "timeout", "broken", "disabled", "unknown"] as const)(
  "the failure %s is retried by the schedule, and its error names it",
  (kind) => {
    expect(after(failure(kind))).toEqual({ state: "retry", runAt: at + 5 * SECOND, error: `${kind}: why` });
  },
);

test("a delivery is dead with its last error when the schedule is used up", () => {
  const last = webhookRetries.length + 1;
  expect(after(answer(500), last)).toEqual({ state: "dead", error: `HTTP 500 (attempt ${last}, the last)` });
});

test("an attempt that the stop of the process cut off is retried at once, even the last attempt", () => {
  const last = webhookRetries.length + 1;
  expect(after(failure("stopped"), last)).toMatchObject({ state: "retry", runAt: at });
});

test("the error of a redirect names its target and says that redirects are not followed", () => {
  const redirect = answer(308, { location: "https://new.example/hook" });
  expect(after(redirect)).toMatchObject({
    error: "HTTP 308: redirects are not followed (to https://new.example/hook); register the final URL",
  });
});

test.each([429, 503])("%i with Retry-After is retried after that wait", (status) => {
  expect(waits(answer(status, { retryAfter: "120" }))).toBe(2 * MINUTE);
  expect(waits(answer(status, { retryAfter: "Sun, 22 Nov 2026 12:10:00 GMT" }))).toBe(10 * MINUTE);
});

test("Retry-After never brings a retry forward", () => {
  expect(waits(answer(503, { retryAfter: "1" }), 2)).toBe(5 * MINUTE);
  expect(waits(answer(503, { retryAfter: "Sun, 22 Nov 2020 12:00:00 GMT" }))).toBe(5 * SECOND);
});

test("Retry-After puts a retry off by a day at most", () => {
  expect(waits(answer(503, { retryAfter: "99999999999999999999" }))).toBe(DAY);
  expect(waits(answer(503, { retryAfter: "Fri, 31 Dec 9999 23:59:59 GMT" }))).toBe(DAY);
});

test("Retry-After is ignored with another status, or where it is neither seconds nor a date", () => {
  expect(waits(answer(500, { retryAfter: "120" }))).toBe(5 * SECOND);
  for (const retryAfter of ["", "soon", "-5", "1.5"]) expect(waits(answer(503, { retryAfter }))).toBe(5 * SECOND);
});

test("Retry-After doesn't revive a delivery whose schedule is used up", () => {
  expect(after(answer(503, { retryAfter: "120" }), webhookRetries.length + 1)).toMatchObject({ state: "dead" });
});

test("a retry is never before the schedule's wait nor after 1.1 days, whatever Retry-After says", () => {
  const anything = fc.oneof(
    fc.string(),
    fc.nat().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  );
  const attempts = fc.integer({ min: 1, max: webhookRetries.length });
  fc.assert(
    fc.property(anything, attempts, fc.double({ min: 0, max: 0.999, noNaN: true }), (retryAfter, attempt, chance) => {
      const wait = waits(answer(429, { retryAfter }), attempt, chance);
      expect(wait).toBeGreaterThanOrEqual(webhookRetries[attempt - 1] ?? Number.NaN);
      expect(wait).toBeLessThanOrEqual(1.1 * DAY);
    }),
  );
});
