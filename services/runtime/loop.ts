import { setTimeout as delay } from "node:timers/promises";
import { Fatal } from "../core/failure.ts";
import type { Clock } from "../core/ports.ts";
import type { Millis } from "../core/time.ts";
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
const SHORTEST_WAIT = 50;
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
  const due = (await steps.nextDue?.()) ?? null;
  const until = due === null ? LONGEST_WAIT : due - clock.now();
  const pause = Math.min(Math.max(until, SHORTEST_WAIT), LONGEST_WAIT);
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  await Promise.race([pauseFor(pause, either), steps.arrival?.(either) ?? new Promise<void>(() => undefined)]);
  enough.abort();
};

const pauseFor = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch {
    // aborted: that is an end of waiting like another
  }
};
