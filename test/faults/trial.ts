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

/** Milliseconds between two letters: neither a burst nor so few that none is under way at a moment. */
const LETTER_EVERY = 200;

/** Milliseconds in which all must be as before, once what was wrong is over: several times what clients wait for. */
const BACK_WITHIN = 120_000;

/** A workload of which the rule says what must come of it, whatever strikes meanwhile. */
export interface Trial extends Disposable {
  /**
   * Has letters written, one after the other, until that has settled: trouble is to meet work.
   * @param alive processes that must outlive it: rejects when one ends
   */
  during<T>(trouble: Promise<T>, alive?: readonly Running[]): Promise<T>;
  /**
   * Writes a letter and waits until an endpoint has been told what came of it: in milliseconds, how long that took, which
   * must be less than BACK_WITHIN.
   */
  echo(): Promise<number>;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
  /**
   * Waits until nothing is left to do and stops these processes, which must end well; then nothing is missing, nothing
   * was decided twice, all is in order, and what came again came with its first id. Prints it in one line, and returns it.
   * @param struck what went wrong meanwhile, in words
   * @param dead how many dead letters there must be
   */
  end(running: readonly Running[], struck: readonly string[], dead?: number): Promise<Checked>;
}

export interface Options {
  /** Of the world's settings, where it has some of its own. */
  readonly fields?: Partial<SettingsFields>;
  /** What of the histories is said, and in which order, where the same is to come of it. */
  readonly disturb?: (past: readonly NewRecord[]) => readonly NewRecord[];
}

/** Publishes so many histories of the past, drawn by SEED. Nobody may read yet: who has read all is in the present. */
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
  // A test that runs out of time says nothing by itself of what it waited for.
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
  /** Returns whom the letter is for. */
  const write = async (): Promise<string | undefined> => {
    const written = letter(letters++);
    const reader = lettersTold(letters).at(-1)?.userId;
    await until(() => chat.publish(...written)); // twice, perhaps, where the log itself is in trouble
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
