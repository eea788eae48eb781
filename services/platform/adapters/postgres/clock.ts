import type { Connection } from "../../contract/database.ts";
import type { Clock } from "../../contract/ports.ts";

/** Milliseconds between two looks at the database's clock. */
const LOOK_EVERY = 10_000;

/**
 * Opens the database's clock, by which all processes compare times (leases, timers, watermarks). A machine's own clock may
 * be wrong or be set: leases would be taken from their holders, and timers would fire early, or hours late. Between two
 * looks the clock follows the process's steady clock. It is behind by no more than the quickest answer took, and never
 * ahead. Throws Transient where the database does not answer at the start.
 */
export const databaseClock = async (database: Connection): Promise<Clock & Disposable> => {
  let ahead = -Infinity;
  const look = async (): Promise<void> => {
    const asked = performance.now();
    const [found] = await database.query<{ now: number }>(
      "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now",
    );
    const answered = performance.now();
    // The database read its clock at some moment between the two; an earlier bound stays where it agrees with that.
    if (found !== undefined) ahead = Math.min(Math.max(ahead, found.now - answered), found.now - asked);
  };
  await look();
  const looking = setInterval(() => {
    look().catch(() => undefined); // the next look comes soon
  }, LOOK_EVERY);
  return {
    now: () => Math.floor(ahead + performance.now()),
    [Symbol.dispose]: () => clearInterval(looking),
  };
};
