import { setTimeout as delay } from "node:timers/promises";
import { messageOf, Transient } from "../../contract/failure.ts";
import type { Job } from "../../contract/ports.ts";
import type { Attempt, Work } from "../../contract/work.ts";
import { queueStream } from "../../contract/stream.ts";
import { DAY, MINUTE, type Millis, SECOND } from "../../contract/time.ts";
import type { World } from "../world.ts";
import { announce } from "../../runtime/facts.ts";
import { passFailpoint } from "../../runtime/failpoints.ts";

/** Milliseconds after which a queue's unpublished outbox entries count as left by a process that died. */
const ORPHANED_AFTER = MINUTE;
/** Milliseconds between two sweeps: for such entries, and for jobs to forget. */
const SWEEP_EVERY = 30_000;
/** Milliseconds for which ended jobs are kept. No record that makes such a job again is read after that. */
const RETENTION: Millis = 30 * DAY;
const FORGOTTEN_AT_ONCE = 1_000;
/** Milliseconds of a lease. It is renewed during the attempt, and runs out only when a process dies or stalls. */
const LEASE = 30_000;
const RENEW_EVERY = LEASE / 3;
/** Milliseconds before its end at which a lease counts as over: another clock may be ahead, and sending takes time. */
const LEASE_MARGIN = LEASE / 6;
/** Milliseconds between two tries to save an outcome: the attempt has happened, and must not happen again. */
const SAVE_AGAIN_AFTER = 500;
/** Wait after an attempt that threw: a fault of ours or of a store, not an answer from outside. */
const AFTER_A_FAULT = MINUTE;
/** Wait after a first Transient (of Kafka, of PostgreSQL). It doubles with each further one, up to AFTER_A_FAULT. */
const AFTER_AN_OUTAGE = 2 * SECOND;

/** Leases jobs of one queue, attempts and settles them. */
export interface Worker {
  readonly name: string;
  /** Leases the jobs that there is room for, and starts them; false when there were none. */
  step(): Promise<boolean>;
  /** The time at which `step` finds the next job, unless a wakeup comes earlier. */
  nextDue(): Promise<Millis | null>;
  /** Resolves when there may be a job to lease, or room for one, or the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
  /** Number of attempts under way. */
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
      // The job is not settled: its lease runs out, and it is attempted again with the same ids.
      announce("stumbled", { loop: work.queue, error: asError(error), wait: LEASE });
    });
    running.add(ended);
    void ended.finally(() => {
      running.delete(ended);
      leases.delete(job);
      wakeups.wake(work.queue);
    });
  };

  /** Publishes records that other processes have left, and forgets jobs that ended long ago. */
  const sweep = async (now: Millis): Promise<void> => {
    swept = now;
    await relay.sweep(queueStream(work.queue), now - ORPHANED_AFTER);
    const jobs = await store.forget(work.queue, now - RETENTION, FORGOTTEN_AT_ONCE);
    const notes = (await work.forget?.(now - RETENTION, FORGOTTEN_AT_ONCE)) ?? 0;
    if (Math.max(jobs, notes) >= FORGOTTEN_AT_ONCE) swept = -Infinity; // there is more
  };

  /** Renews the leases that have not run out; the others may be another process's by now. */
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
      if (room < Math.ceil(work.concurrency / 2)) return false; // one query leases several jobs
      const jobs = await store.lease(work.queue, room, now, now + LEASE);
      for (const job of jobs) start(job, now + LEASE);
      return jobs.length > 0;
    },
    // While there is no room, the end of an attempt wakes the worker.
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
