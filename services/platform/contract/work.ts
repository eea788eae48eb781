import type { Publish } from "./effect.ts";
import type { Job, Settlement } from "./ports.ts";
import type { Millis } from "./time.ts";

/** The outcome of an attempt: the state of the job now, and the records published in the same transaction. */
export interface Attempt {
  readonly settlement: Settlement;
  readonly publish: readonly Publish[];
  /** For the one wide log line and the metrics of the attempt. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * Called right before an action that can't be taken back. Throws Transient where the lease has run out: this process stood
 * still for so long that another may have taken the job, and done it.
 */
export type EnsureLeased = () => void;

/** A kind of work that is done outside of any transaction. */
export interface Work {
  /** Identity: names the queue and its outbox stream. */
  readonly queue: string;
  /** Attempts under way at once in this process. */
  readonly concurrency: number;
  /** Tries the job once. Answers of the world are settlements; an error thrown counts as a fault and is tried again. */
  attempt(job: Job, signal: AbortSignal, ensureLeased: EnsureLeased): Promise<Attempt>;
  /** Deletes at most `limit` of its notes of attempts before a moment. Returns how many. */
  forget?(before: Millis, limit: number): Promise<number>;
}
