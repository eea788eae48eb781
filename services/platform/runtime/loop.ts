import { Fatal } from "../contract/failure.ts";
import type { Clock } from "../contract/ports.ts";
import type { Millis } from "../contract/time.ts";
import { announce } from "./facts.ts";

/** A loop: its step, and the events to wait for when the step found nothing to do. */
export interface Steps {
  readonly name: string;
  /** Does the work at hand; false when there was none. */
  step(): Promise<boolean>;
  /** The time of the next work, where a clock decides it; null where that is not known. */
  nextDue?(): Millis | null | Promise<Millis | null>;
  /** Resolves when there may be work, or the signal aborts. */
  arrival?(signal: AbortSignal): Promise<void>;
}

/** Longest wait between two steps, in milliseconds: work that nothing announces (of another process) is found then. */
const LONGEST_WAIT = 500;
/** Shortest wait, in milliseconds, after a step that found nothing at its due time: the watermark is not there yet. */
const SHORTEST_WAIT = 20;
/** Least time between an idle step and the next one, in milliseconds. */
const BREATH = 5;
/** Reason with which the other waits end. A string: a new error for each would cost more than the wait. */
const ENOUGH = "another wait ended first";
/** Waits after successive failures, in milliseconds; the last one repeats. */
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

/** Tells whether nobody classified the error: the step would fail by it again. */
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
  // A record may have arrived that the step cannot take yet. Without a pause the loop would keep the process busy.
  const left = BREATH - (performance.now() - started);
  if (left > 0) await pauseFor(left, signal);
};

/** Resolves after so many milliseconds, or when the signal aborts. */
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
