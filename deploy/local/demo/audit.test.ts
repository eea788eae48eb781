import { expect, test } from "vitest";
import { audit, type Arrivals } from "./audit.ts";
import { type Expectation, type ExpectedMail, nameOf } from "./expected.ts";

const to = (notificationId: string, address = "ada@example.org"): ExpectedMail => ({ notificationId, address });
const never = new AbortController().signal;

const expectation = (
  required: readonly ExpectedMail[],
  more: readonly ExpectedMail[] = [],
  readLater: readonly string[] = [],
): Expectation => ({
  required,
  dueBy: 0,
  readLater: new Set(readLater),
  allowedBy: () => [...required, ...more],
});

/** Arrivals that each look finds: the first ones at the first look, and so on. */
const arrivals = (
  looks: readonly (readonly ExpectedMail[])[],
  needless: readonly string[] = [],
): Arrivals & { left(): number } => {
  const left = [...looks];
  return {
    counts() {
      const counts = new Map<string, number>();
      for (const mail of (left.length > 1 ? left.shift() : left[0]) ?? [])
        counts.set(nameOf(mail), (counts.get(nameOf(mail)) ?? 0) + 1);
      return Promise.resolve(counts);
    },
    superseded: () => new Set(needless),
    isOurs: (address) => address.startsWith("ada"),
    left: () => left.length,
  };
};
const nothing = { missing: [], superseded: [], unexpected: [], repeated: [] };
const LONG = 60_000;

test("an audit waits for the last required mail", async () => {
  const looks = arrivals([[], [to("a")], [to("a"), to("b")]]);
  expect(await audit(expectation([to("a"), to("b")]), looks, LONG, never)).toEqual(nothing);
  expect(looks.left()).toBe(1);
});

test("an audit waits for no mail whose notification is superseded", async () => {
  const looks = arrivals([[to("a")]], ["b"]);
  const found = await audit(expectation([to("a"), to("b")], [], ["b"]), looks, LONG, never);
  expect(found).toEqual({ ...nothing, superseded: [to("b")] });
});

test("a mail is missing that the mailer reports as superseded, but that nobody read by the records", async () => {
  const found = await audit(expectation([to("a"), to("b")]), arrivals([[to("a")]], ["b"]), 0, never);
  expect(found).toEqual({ ...nothing, missing: [to("b")] });
});

test("an allowed mail is neither missing nor unexpected", async () => {
  const allowed = expectation([to("a")], [to("b"), to("c")]);
  expect(await audit(allowed, arrivals([[to("a"), to("b")]]), LONG, never)).toEqual(nothing);
});

test("an audit names mails that no record led to, and mails that came twice", async () => {
  const looks = arrivals([[to("a"), to("a"), to("x")]]);
  expect(await audit(expectation([to("a")]), looks, LONG, never)).toEqual({
    ...nothing,
    unexpected: [to("x")],
    repeated: [to("a")],
  });
});

test("an audit leaves out mails to people of an earlier run", async () => {
  const looks = arrivals([[to("a"), to("x", "grace@example.org")]]);
  expect(await audit(expectation([to("a")]), looks, LONG, never)).toEqual(nothing);
});

test("an audit ends when nothing comes any more", async () => {
  const found = await audit(expectation([to("a"), to("b")]), arrivals([[to("a")]]), 0, never);
  expect(found).toEqual({ ...nothing, missing: [to("b")] });
});

test("an audit ends when the demo is stopped", async () => {
  const found = await audit(expectation([to("a")]), arrivals([[]]), LONG, AbortSignal.abort());
  expect(found).toEqual({ ...nothing, missing: [to("a")] });
});
