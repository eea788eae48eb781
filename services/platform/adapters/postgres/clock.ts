import type { Connection } from "../../contract/database.ts";
import type { Clock } from "../../contract/ports.ts";

/** Milliseconds between two looks at the database's clock. */
const LOOK_EVERY = 10_000;

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
