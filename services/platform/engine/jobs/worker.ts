import { setTimeout as delay } from "node:timers/promises";
import { messageOf, Transient } from "../../contract/failure.ts";
import type { Job } from "../../contract/ports.ts";
import type { Attempt, Work } from "../../contract/work.ts";
import { queueStream } from "../../contract/stream.ts";
import { DAY, MINUTE, type Millis, SECOND } from "../../contract/time.ts";
import type { World } from "../world.ts";
import { announce } from "../../runtime/facts.ts";
import { passFailpoint } from "../../runtime/failpoints.ts";

/** Outbox entries of a queue older than this were left by a process that died: any other takes them. */
const ORPHANED_AFTER = MINUTE;
/** Milliseconds between two looks for such. */
const SWEEP_EVERY = 30_000;
/** For so long it is known that a job has ended, and what came of it: nothing that makes one is read again after it. */
const RETENTION: Millis = 30 * DAY;
const FORGOTTEN_AT_ONCE = 1_000;
/** Milliseconds a job is held, renewed while its attempt goes on: runs out only when a process dies or stalls. */
const LEASE = 30_000;
const RENEW_EVERY = LEASE / 3;
/** Milliseconds before its end in which a lease counts as over: another's clock may be ahead, and handing over takes time. */
const LEASE_MARGIN = LEASE / 6;
/** Milliseconds between two tries to save what an attempt came to: it has happened, and is not to happen again. */
const SAVE_AGAIN_AFTER = 500;
/** Wait after an attempt that threw: a fault of ours or of a store, not an answer of the world. */
const AFTER_A_FAULT = MINUTE;
/** The same after the first that may pass (of Kafka, of PostgreSQL); twice as long after each one more, up to that. */
const AFTER_AN_OUTAGE = 2 * SECOND;

/** Leases jobs of one queue, attempts and settles them. */
export interface Worker {
  readonly name: string;
  /** Leases what there is room for, starts it, and settles what has ended; false when there was nothing. */
  step(): Promise<boolean>;
  /** When `step` will find something if nobody says so earlier. */
  nextDue(): Promise<Millis | null>;
  /** Resolves when there may be something to lease, or room for it, or the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
  /** Jobs under way. */
  readonly busy: () => number;
  /** Waits for the attempts under way to settle; those still running at the signal are aborted. */
  drain(signal: AbortSignal): Promise<void>;
}

export const worker = (work: Work, { store, codec, clock, relay, wakeups }: World): Worker => {
  const running = new Set<Promise<void>>();
  const leases = new Map<Job, Millis>();
  const aborter = new AbortController();
  let swept = -Infinity;
  let renewed = -Infinity;

  const run = async (job: Job): Promise<void> => {
    const started = clock.now();
    const { settlement, publish, detail } = await attempted(job);
    passFailpoint("attempted", work.queue);
    const stream = queueStream(work.queue);
    const entries = publish.map(({ topic, key, value }) => ({
      stream,
      topic,
      key,
      partition: null,
      value: codec.encode(topic, value),
    }));
    const saved = await save(() => store.settle(job, settlement, entries));
    if (saved !== false) relay.offer(saved);
    announce("attempted", {
      queue: work.queue,
      id: job.id,
      attempt: job.attempt,
      detail,
      duration: clock.now() - started,
      outcome: saved === false ? "lost" : settlement.state,
      ...("error" in settlement ? { error: settlement.error } : {}),
    });
  };

  const save = async <T>(settle: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await settle();
      } catch (error) {
        if (!(error instanceof Transient) || aborter.signal.aborted) throw error;
        announce("stumbled", { loop: work.queue, error, wait: SAVE_AGAIN_AFTER });
        await delay(SAVE_AGAIN_AFTER);
      }
    }
  };

  const attempted = async (job: Job): Promise<Attempt> => {
    try {
      return await work.attempt(job, aborter.signal, () => {
        if (clock.now() >= (leases.get(job) ?? 0) - LEASE_MARGIN)
          throw new Transient("the lease ran out before it was sent: another process may have sent it");
      });
    } catch (error) {
      const mayPass = error instanceof Transient;
      const pause = mayPass ? Math.min(AFTER_AN_OUTAGE * 2 ** (job.attempt - 1), AFTER_A_FAULT) : AFTER_A_FAULT;
      const settlement = { state: "retry", runAt: clock.now() + pause, error: messageOf(error) } as const;
      return { settlement, publish: [], detail: { fault: true } };
    }
  };

  const start = (job: Job, until: Millis): void => {
    leases.set(job, until);
    const ended = run(job).catch((error: unknown) => {
      // Not settled: the lease runs out and the job is attempted again, with the same ids.
      announce("stumbled", { loop: work.queue, error: asError(error), wait: LEASE });
    });
    running.add(ended);
    void ended.finally(() => {
      running.delete(ended);
      leases.delete(job);
      wakeups.wake(work.queue);
    });
  };

  /** What others have left undone, and what has been done for long. */
  const sweep = async (now: Millis): Promise<void> => {
    swept = now;
    await relay.sweep(queueStream(work.queue), now - ORPHANED_AFTER);
    const jobs = await store.forget(work.queue, now - RETENTION, FORGOTTEN_AT_ONCE);
    const notes = (await work.forget?.(now - RETENTION, FORGOTTEN_AT_ONCE)) ?? 0;
    if (Math.max(jobs, notes) >= FORGOTTEN_AT_ONCE) swept = -Infinity; // there is more
  };

  /** Those whose lease has run out may be another's by now. */
  const renew = async (now: Millis): Promise<void> => {
    const ours = [...leases].flatMap(([job, until]) => (now < until ? [job] : []));
    await store.renew(ours, now + LEASE);
    for (const job of ours) if (leases.has(job)) leases.set(job, now + LEASE);
  };

  return {
    name: work.queue,
    async step() {
      const now = clock.now();
      if (now - swept >= SWEEP_EVERY) await sweep(now);
      if (running.size > 0 && now - renewed >= RENEW_EVERY) {
        renewed = now;
        await renew(now);
      }
      const room = relay.room() ? work.concurrency - running.size : 0;
      if (room < Math.ceil(work.concurrency / 2)) return false; // one look fetches several
      const jobs = await store.lease(work.queue, room, now, now + LEASE);
      for (const job of jobs) start(job, now + LEASE);
      return jobs.length > 0;
    },
    // While there is no room, the end of an attempt is what to wait for.
    nextDue: () => (running.size > work.concurrency / 2 ? Promise.resolve(null) : store.nextJob(work.queue)),
    arrival: (signal) => wakeups.arrival(work.queue, signal),
    busy: () => running.size,
    async drain(signal) {
      signal.addEventListener("abort", () => aborter.abort(), { once: true });
      const renewing = setInterval(() => {
        if (running.size > 0)
          renew(clock.now()).catch((error: unknown) => {
            announce("stumbled", { loop: work.queue, error: asError(error), wait: RENEW_EVERY });
          });
      }, RENEW_EVERY);
      await Promise.all(running);
      clearInterval(renewing);
    },
  };
};

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
