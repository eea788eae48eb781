import type { Clock } from "../contract/ports.ts";

/** Milliseconds between two looks at the machine's clock. */
const WATCH_EVERY = 500;
/** Milliseconds by which a clock may go back when it is synchronized. */
const SLIGHT = 1_000;

/** Milliseconds by which producers' clocks may be ahead of ours. A record within them waits for its time, like any other. */
export const SKEW = 1_000;

/** The machine's own clock, for a process that shares no times with another. */
export const ownClock: Clock = { now: () => Date.now() };

/** Calls `act` when the machine's clock is set back: a wait until a time by that clock would last so much longer. */
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
