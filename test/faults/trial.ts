import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFailed } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { messageOf } from "../../services/platform/contract/failure.ts";
import { settings } from "../oracle/history.ts";
import { letter, lettersTold } from "../support/letters.ts";
import { expected, histories, together } from "../support/past.ts";
import { plain } from "../support/settings.ts";
import type { SettingsFields } from "../../services/domain/role-settings.ts";
import { eventually, SINCE_EVER, type World } from "../support/world.ts";
import { type Checked, checker } from "./checker.ts";
import type { Running } from "./processes.ts";
import { SEED } from "./trouble.ts";

/** Milliseconds between two letters: enough to keep one under way at any moment, without a burst. */
const LETTER_EVERY = 200;

/** Milliseconds in which a system must recover from a fault: several times the timeouts of the clients. */
const BACK_WITHIN = 120_000;

/** A workload whose outcome the rule knows, whatever faults strike meanwhile. */
export interface Trial extends Disposable {
  /**
   * Writes letters one after the other until the promise settles, so that faults meet work.
   * @param alive processes that must outlive it: rejects when one ends
   */
  during<T>(trouble: Promise<T>, alive?: readonly Running[]): Promise<T>;
  /**
   * Writes a letter and waits for its webhook. Returns the milliseconds that it took, which must be less than
   * BACK_WITHIN.
   */
  echo(): Promise<number>;
  /** Resolves when no work is left. */
  idle(): Promise<void>;
  /**
   * Waits until no work is left and stops the processes, which must end with 0. Then it checks that nothing is missing,
   * nothing was decided twice and everything is in order, and that every repeat has the id of the first. Prints and
   * returns the counts.
   * @param struck descriptions of the faults
   * @param dead expected number of dead letters
   */
  end(running: readonly Running[], struck: readonly string[], dead?: number): Promise<Checked>;
}

export interface Options {
  /** Settings of the default role, where the world has its own. */
  readonly fields?: Partial<SettingsFields>;
  /** Changes which records of the histories are published, and in which order. The outcome must be the same. */
  readonly disturb?: (past: readonly NewRecord[]) => readonly NewRecord[];
}

/**
 * Publishes histories of the past, drawn by SEED. No process may read yet: a reader at the end of the log is in the
 * present.
 */
export const trial = async (
  chat: World,
  count: number,
  { fields = {}, disturb = (past) => past }: Options = {},
): Promise<Trial> => {
  const past = histories(count, SEED);
  const wanted = expected(past, [settings(SINCE_EVER, "default", { ...plain, ...fields })], Date.now());
  const facts = checker(chat);
  await chat.publish(...disturb(together(past)));
  let letters = 0;
  let lacking: unknown;
  // A test that runs out of time doesn't say by itself which wait it was in.
  onTestFailed(() => console.log(`the trial waited for: ${messageOf(lacking)}`));
  const until = (assertion: () => void | Promise<void>): Promise<void> =>
    eventually(async () => {
      try {
        await assertion();
      } catch (error) {
        lacking = error;
        throw error;
      }
    });
  /** Writes a letter; returns its reader. */
  const write = async (): Promise<string | undefined> => {
    const written = letter(letters++);
    const reader = lettersTold(letters).at(-1)?.userId;
    await until(() => chat.publish(...written)); // twice where the log itself is in trouble
    return reader;
  };

  return {
    async during(trouble, alive = []) {
      const deaths = alive.map(({ end }) => end.then((how) => Promise.reject(new Error(JSON.stringify(how)))));
      const over = Promise.race([trouble, ...deaths]).then(() => true);
      do {
        await write();
      } while (!(await Promise.race([over, delay(LETTER_EVERY, false)])));
      return trouble;
    },
    async echo() {
      const start = performance.now();
      const reader = await write();
      await until(() => {
        const told = new Set(chat.receiver.deliveries().map(({ user }) => user));
        expect(told.has(reader ?? ""), `${reader} is told of`).toBe(true);
      });
      const took = Math.round(performance.now() - start);
      expect(took).toBeLessThan(BACK_WITHIN);
      return took;
    },
    idle: () => until(() => facts.idle()),
    async end(running, struck, dead = 0) {
      await until(() => facts.idle());
      for (const { child } of running) child.kill("SIGTERM");
      expect(await Promise.all(running.map(({ end }) => end))).toEqual(running.map(() => ({ code: 0, signal: null })));
      const checked = await facts.check([...wanted, ...lettersTold(letters)], dead);
      console.log(`${struck.length} faults (seed ${SEED}): ${struck.join(", ")}: ${JSON.stringify(checked)}`);
      expect(checked.notifications).toBeGreaterThan(count / 2);
      return checked;
    },
    [Symbol.dispose]: () => facts[Symbol.dispose](),
  };
};
