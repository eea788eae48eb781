import { Fatal } from "../contract/failure.ts";
import type { Clock } from "../contract/ports.ts";
import type { Millis } from "../contract/time.ts";
import { announce } from "./facts.ts";

/** Something that is done again and again: one `step` of it, and what to wait for when there was nothing to do. */
export interface Steps {
  readonly name: string;
  /** Does what there is to do; false when there was nothing. */
  step(): Promise<boolean>;
  /** When there will be something to do by the clock, if that is known. */
  nextDue?(): Millis | null | Promise<Millis | null>;
  /** Resolves when there may be something to do, or the signal aborts. */
  arrival?(signal: AbortSignal): Promise<void>;
}

/** Longest wait without a look, in milliseconds: what nothing announces (another process's work) is found then. */
const LONGEST_WAIT = 500;
/** Shortest wait after a step that found nothing though the clock said it would: the stream hasn't come there yet. */
const SHORTEST_WAIT = 20;
/** Least time between a step that did nothing and the next, in milliseconds. */
const BREATH = 5;
/** Why the other waits are over; an error of its own for each would cost more than the wait. */
const ENOUGH = "something else came first";
/** Waits after failures in a row, in milliseconds; the last one stays. */
const BACKOFF = [100, 250, 500, 1_000, 2_000, 5_000] as const;

/** Runs steps until the signal aborts; resolves after the step under way. Rejects with Fatal, after announcing it. */
export const loop = async (steps: Steps, clock: Clock, signal: AbortSignal): Promise<void> => {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const did = await steps.step();
      failures = 0;
      if (!did && !signal.aborted) await wait(steps, clock, signal);
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error instanceof Fatal || isBug(error)) {
        announce("fell", { loop: steps.name, error });
        throw error;
      }
      const pause = BACKOFF[Math.min(failures++, BACKOFF.length - 1)] ?? LONGEST_WAIT;
      announce("stumbled", { loop: steps.name, error, wait: pause });
      await pauseFor(pause, signal);
    }
  }
};

/** What nobody classified: doing it again would only repeat it. */
const isBug = (error: Error): boolean => error.name !== "Transient";

const wait = async (steps: Steps, clock: Clock, signal: AbortSignal): Promise<void> => {
  const started = performance.now();
  const due = (await steps.nextDue?.()) ?? null;
  const until = due === null ? LONGEST_WAIT : due - clock.now();
  const pause = Math.min(Math.max(until, SHORTEST_WAIT), LONGEST_WAIT);
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  await Promise.race([pauseFor(pause, either), steps.arrival?.(either) ?? new Promise<void>(() => undefined)]);
  enough.abort(ENOUGH);
  // Something may have arrived that the step can't take yet: without a breath, the loop would keep the process to itself.
  const left = BREATH - (performance.now() - started);
  if (left > 0) await pauseFor(left, signal);
};

/** Resolves after so long, or when the signal aborts. */
const pauseFor = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
