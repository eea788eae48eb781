import type { Job, NewJob, Settlement } from "../contract/ports.ts";
import type { Millis } from "../contract/time.ts";

interface StoredJob {
  readonly queue: string;
  readonly id: string;
  readonly json: string;
  readonly attempts: number;
  readonly state: "ready" | "done" | "dead";
  /** The time from which it may be leased: its own, or the end of a lease. */
  readonly runAt: Millis;
  readonly token: string | null;
  /** The time at which it ended; null while it is ready. */
  readonly endedAt: Millis | null;
}

/** The queues of the store in memory. */
export interface MemoryJobs {
  add(job: NewJob): void;
  lease(queue: string, limit: number, now: Millis, until: Millis): readonly Job[];
  renew(jobs: readonly Job[], until: Millis): void;
  next(queue: string): Millis | null;
  settle(job: Job, settlement: Settlement, at: Millis): boolean;
  forget(queue: string, before: Millis, limit: number): number;
}

export const memoryJobs = (): MemoryJobs => {
  const jobs = new Map<string, StoredJob>();
  let tokens = 0;
  const name = ({ queue, id }: Pick<Job, "queue" | "id">): string => `${queue}\n${id}`;
  const ready = (queue: string): readonly StoredJob[] =>
    [...jobs.values()]
      .filter((job) => job.queue === queue && job.state === "ready")
      .toSorted((a, b) => a.runAt - b.runAt);

  return {
    add({ queue, id, payload, runAt }) {
      if (jobs.has(name({ queue, id }))) return;
      const json = JSON.stringify(payload);
      jobs.set(name({ queue, id }), {
        queue,
        id,
        json,
        attempts: 0,
        state: "ready",
        runAt,
        token: null,
        endedAt: null,
      });
    },
    lease: (queue, limit, now, until) =>
      ready(queue)
        .filter(({ runAt }) => runAt <= now)
        .slice(0, limit)
        .map((job) => {
          const token = String(++tokens);
          const attempt = job.attempts + 1;
          jobs.set(name(job), { ...job, attempts: attempt, runAt: until, token });
          return { queue, id: job.id, payload: JSON.parse(job.json) as unknown, attempt, token };
        }),
    renew(held, until) {
      for (const job of held) {
        const stored = jobs.get(name(job));
        if (stored?.state === "ready" && stored.token === job.token) jobs.set(name(job), { ...stored, runAt: until });
      }
    },
    next: (queue) => ready(queue)[0]?.runAt ?? null,
    settle(job, settlement, at) {
      const stored = jobs.get(name(job));
      if (stored === undefined || stored.state !== "ready" || stored.token !== job.token) return false;
      jobs.set(name(job), {
        ...stored,
        token: null,
        attempts: stored.attempts - (settlement.state === "put off" ? 1 : 0),
        ...("runAt" in settlement
          ? { runAt: settlement.runAt }
          : { state: settlement.state === "done" ? "done" : "dead", endedAt: at }),
      });
      return true;
    },
    forget(queue, before, limit) {
      const gone = [...jobs.values()].filter((job) => job.queue === queue && (job.endedAt ?? Infinity) < before);
      const some = gone.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0)).slice(0, limit);
      for (const job of some) jobs.delete(name(job));
      return some.length;
    },
  };
};
