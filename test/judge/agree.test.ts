import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LATENESS } from "../../services/inboxes/state.ts";
import { afterwards, late, orderly } from "./arbitrary.ts";
import { found } from "./found.ts";
import type { Line } from "./history.ts";
import { judge, type Triggered } from "./judge.ts";
import { decided } from "./run.ts";

/** Histories of each kind in a test run. */
const HISTORIES = Number(process.env["HISTORIES"] ?? 10_000);
/** The same ones in each run, so that what fails was broken just now; by hand, others with SEED and more with HISTORIES. */
const SEED = Number(process.env["SEED"] ?? 20_261_122);
/** Milliseconds in which that many are judged on a machine that is busy with other things. */
const PATIENCE = 600_000;

/** In an order of their own: messages of one time on several partitions have none. */
const briefly = (told: readonly Triggered[]): readonly string[] =>
  told
    .map(({ userId, conversationId, messageIds, at }) =>
      JSON.stringify([at, userId, conversationId, messageIds.toSorted()]),
    )
    .toSorted();

/** What comes later than that is taken as of its own time no more, wherever that would need all of the past. */
const isInTime = ({ at, value }: Line): boolean => at - (value?.occurredAt ?? at) <= LATENESS;

const agree = (drawn: readonly Line[]): number => {
  const lines = drawn.filter(isInTime);
  const until = (lines.at(-1)?.at ?? 0) + afterwards;
  const judged = judge(lines, until);
  expect(briefly(decided(lines, until))).toEqual(briefly(judged));
  return judged.length;
};

describe("the rule and a judge that knows only the page decide the same", () => {
  test.each(found)("%s", (_what, lines) => {
    expect(agree(lines)).toBeGreaterThan(0);
  });

  test.each([
    ["orderly", orderly],
    ["with late and repeated records", late],
  ])("histories: %s", { timeout: PATIENCE }, (what, histories) => {
    let notifications = 0;
    let count = 0;
    fc.assert(
      fc.property(histories, (lines) => {
        notifications += agree(lines);
        count++;
      }),
      { seed: SEED, numRuns: HISTORIES, interruptAfterTimeLimit: PATIENCE, markInterruptAsFailure: true },
    );
    console.log(`${count} histories, ${what}, ${notifications} notifications: the rule and the judge agree`);
    expect(notifications).toBeGreaterThan(count);
  });
});
