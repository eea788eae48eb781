import { setTimeout as delay } from "node:timers/promises";
import { Transient } from "../../platform/contract/failure.ts";

/** Milliseconds between two attempts, and milliseconds for which Transient errors are tolerated. */
const LOOK_EVERY = 200;
const PATIENCE = 60_000;

/** Asks until the answer isn't null. Throws a lasting Transient, and the signal's reason. */
export const until = async <T>(ask: () => Promise<T | null>, signal: AbortSignal): Promise<T> => {
  let failedAt: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== null) return answer;
      failedAt = null;
    } catch (error) {
      failedAt ??= Date.now();
      if (!(error instanceof Transient) || Date.now() - failedAt > PATIENCE) throw error;
    }
    await pause(signal);
  }
};

const pause = async (signal: AbortSignal): Promise<void> => {
  try {
    await delay(LOOK_EVERY, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
};
