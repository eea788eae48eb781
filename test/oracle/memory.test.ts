import fc from "fast-check";
import { expect, test } from "vitest";
import { afterwards, orderly } from "./arbitrary.ts";
import type { Line } from "./history.ts";
import { accounts, usersOf } from "./judge.ts";
import { concerning, type Facts } from "./known.ts";
import { forgetful, type Memory, perfect } from "./memory.ts";

/** Number of histories in a test run, and their seed. */
const HISTORIES = 1_000;
const SEED = 20_261_122;

/** Each change in a user's notifications, missed messages and holding reasons. */
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

test("a judge that forgets records which no longer matter decides the same where every record came in time", () => {
  fc.assert(
    fc.property(orderly, (lines) => {
      expect(judgedWith(forgetful, lines)).toEqual(judgedWith(perfect, lines));
    }),
    { seed: SEED, numRuns: HISTORIES },
  );
});
