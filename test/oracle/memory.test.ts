import fc from "fast-check";
import { expect, test } from "vitest";
import { afterwards, orderly } from "./arbitrary.ts";
import type { Line } from "./history.ts";
import { accounts, usersOf } from "./judge.ts";
import { concerning, type Facts } from "./known.ts";
import { forgetful, type Memory, perfect } from "./memory.ts";

/** Histories in a test run, and which. */
const HISTORIES = 1_000;
const SEED = 20_261_122;

/** What is told, missed and held of whom, when it is another than before. */
const judgedWith = (memory: (all: Facts) => Memory, lines: readonly Line[]): readonly string[] =>
  usersOf(lines).flatMap((userId) => {
    const until = (lines.at(-1)?.at ?? 0) + afterwards;
    let latest = "";
    const changes: string[] = [];
    for (const { at, triggered, standings, held } of accounts(userId, memory(concerning(lines, userId)), until)) {
      const missed = [...standings].flatMap(([name, { since }]) => (since === null ? [] : [`${name} ${since}`]));
      const account = JSON.stringify([
        triggered,
        missed.toSorted(),
        [...held].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ]);
      if (account !== latest) changes.push(`${userId} ${at} ${account}`);
      latest = account;
    }
    return changes;
  });

test("A judge that forgets what can't matter any more says the same of a log that had everything in time", () => {
  fc.assert(
    fc.property(orderly, (lines) => {
      expect(judgedWith(forgetful, lines)).toEqual(judgedWith(perfect, lines));
    }),
    { seed: SEED, numRuns: HISTORIES },
  );
});
