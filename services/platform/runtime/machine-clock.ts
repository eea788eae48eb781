import type { Clock } from "../contract/ports.ts";

/** Milliseconds between two looks at the machine's clock. */
const WATCH_EVERY = 500;
/** Milliseconds by which a clock may go back as any clock does that is kept right. */
const SLIGHT = 1_000;

/** Milliseconds by which producers' clocks may be ahead of ours: a record so much ahead is waited for, like any other. */
export const SKEW = 1_000;

/** The machine's own clock: for a process that works alone. */
export const ownClock: Clock = { now: () => Date.now() };

/** Acts when the machine's own clock is set back: a wait until a time by that clock would last so much longer. */
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
