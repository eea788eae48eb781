import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LATENESS } from "../../services/domain/log-record.ts";
import { afterwards, late, orderly } from "./arbitrary.ts";
import { compared } from "./compare.ts";
import { found } from "./found.ts";
import type { Line } from "./history.ts";
import { accounts, usersOf } from "./judge.ts";
import { concerning } from "./known.ts";
import { ledgerOf } from "./ledger.ts";
import { perfect } from "./memory.ts";
import { briefly, decided, type Decided } from "./run.ts";

/** Histories of each kind in a test run; HISTORIES sets another number. */
const HISTORIES = Number(process.env["HISTORIES"] ?? 10_000);
/** The same histories in each run, so that a failure comes from a new change; SEED sets others. */
const SEED = Number(process.env["SEED"] ?? 20_261_122);
/** Milliseconds for judging all histories on a busy machine. */
const PATIENCE = 600_000;

/**
 * Tells whether a record came in time. A later one no longer counts as of its own time, where that would need the whole past.
 */
const isInTime = ({ at, value }: Line): boolean => at - (value?.occurredAt ?? at) <= LATENESS;

/** Instants at which several records become known, and one of them is late and new. */
const tangled = (lines: readonly Line[]): ReadonlySet<number> => {
  const known = new Set<Line["value"]>();
  const instants = new Set<number>();
  const together = Map.groupBy(lines, ({ at }) => at);
  for (const { at, value } of lines) {
    const isLate = value !== null && value.occurredAt < at && !known.has(value);
    if (isLate && (together.get(at) ?? []).length > 1) instants.add(at);
    known.add(value);
  }
  return instants;
};

/** Checks that both decide a history alike; returns the number of notifications and verdicts. */
const agree = (drawn: readonly Line[]): { readonly notifications: number; readonly verdicts: number } => {
  const lines = drawn.filter(isInTime);
  const until = (lines.at(-1)?.at ?? 0) + afterwards;
  const { told, ledger } = decided(lines, until);
  const users = usersOf(lines);
  const instants = tangled(lines);
  const cases = users.map((userId) => {
    const its = accounts(userId, perfect(concerning(lines, userId)), until);
    return compared(ledgerOf(ledger.get(userId) ?? []), its, instants);
  });
  expect(briefly(told)).toEqual(briefly(cases.flatMap(({ judged }) => judged)));
  expect(cases.flatMap(({ differences }) => differences)).toEqual([]);
  expect(users).toEqual(expect.arrayContaining([...ledger.keys()]));
  return { notifications: told.length, verdicts: [...ledger.values()].flat().length };
};

describe("the rule and a judge that knows only the page decide the same, for the same reasons", () => {
  test.each(found)("%s", (_what, lines) => {
    expect(agree(lines).verdicts).toBeGreaterThan(0);
  });

  test.each([
    ["orderly", orderly],
    ["with late and repeated records", late],
  ])("histories: %s", { timeout: PATIENCE }, (what, histories) => {
    let [count, notifications, verdicts] = [0, 0, 0];
    fc.assert(
      fc.property(histories, (lines) => {
        const both = agree(lines);
        notifications += both.notifications;
        verdicts += both.verdicts;
        count++;
      }),
      { seed: SEED, numRuns: HISTORIES, interruptAfterTimeLimit: PATIENCE, markInterruptAsFailure: true },
    );
    console.log(
      `${count} histories, ${what}, ${notifications} notifications, ${verdicts} verdicts: rule and judge agree`,
    );
    expect(notifications).toBeGreaterThan(count);
  });
});

/** Users' verdicts by time. Each processor writes its own in that order. */
const byTime = (ledger: Decided["ledger"]): object =>
  Object.fromEntries(
    [...ledger].map(([user, entries]) => [user, entries.toSorted((a, b) => a.occurredAt - b.occurredAt)]),
  );

test("records folded together lead to the same decisions as records folded one by one", () => {
  const histories = fc.tuple(late, fc.integer({ min: 2, max: 60 }));
  fc.assert(
    fc.property(histories, ([lines, window]) => {
      const until = (lines.at(-1)?.at ?? 0) + afterwards;
      const [each, together] = [decided(lines, until), decided(lines, until, window)];
      expect(briefly(together.told)).toEqual(briefly(each.told));
      expect(byTime(together.ledger)).toEqual(byTime(each.ledger));
    }),
    { seed: SEED, numRuns: HISTORIES / 10 },
  );
}, 120_000);
