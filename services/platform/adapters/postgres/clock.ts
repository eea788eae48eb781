import type { Clock } from "../../contract/ports.ts";
import type { Connection } from "./database.ts";

/** Milliseconds between two looks at the database's clock. */
const LOOK_EVERY = 10_000;

/** Milliseconds between two looks at the machine's clock, and by which it may go back as any clock that is kept right does. */
const WATCH_EVERY = 500;
const SLIGHT = 1_000;

/** Milliseconds by which producers' clocks may be ahead of ours: a record so much ahead is waited for, like any other. */
export const SKEW = 1_000;

/** The machine's own clock: for who works alone. */
export const ownClock: Clock = { now: () => Date.now() };

/** Acts when the machine's own clock is set back: who waits for a time by it waits for so much longer. */
export const onSetBack = (act: () => void): Disposable => {
  const ahead = (): number => Date.now() - performance.now();
  let before = ahead();
  const watching = setInterval(() => {
    const now = ahead();
    if (before - now > SLIGHT) act();
    before = now;
  }, WATCH_EVERY);
  return { [Symbol.dispose]: () => clearInterval(watching) };
};

/**
 * The database's clock. Processes compare times through it (leases, timers, how far the stream has come), and a machine's
 * own clock may be wrong or be set meanwhile: then leases would be taken from those who hold them, and people be told
 * early, or hours late. Between two looks it goes by the process's steady clock; it is behind by no more than the quickest
 * answer took, and never ahead. Throws Transient where there is no answer at the start.
 */
export const databaseClock = async (database: Connection): Promise<Clock & Disposable> => {
  let ahead = -Infinity;
  const look = async (): Promise<void> => {
    const asked = performance.now();
    const [found] = await database.query<{ now: number }>(
      "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now",
    );
    const answered = performance.now();
    // It was that time at some moment between: nothing more is known, and what was known stays where it agrees.
    if (found !== undefined) ahead = Math.min(Math.max(ahead, found.now - answered), found.now - asked);
  };
  await look();
  const looking = setInterval(() => {
    look().catch(() => undefined); // the next look will do
  }, LOOK_EVERY);
  return {
    now: () => Math.floor(ahead + performance.now()),
    [Symbol.dispose]: () => clearInterval(looking),
  };
};
