import type { Attempt, EnsureLeased, Work } from "../platform/contract/work.ts";
import { messageOf } from "../platform/contract/failure.ts";
import type { Clock, Job } from "../platform/contract/ports.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { AttemptRow } from "./attempts.ts";
import type { Caller } from "./call/client.ts";
import { passFailpoint } from "../platform/runtime/failpoints.ts";
import { type Delivery, QUEUE } from "./rule.ts";
import type { Directory } from "./endpoints/directory.ts";
import { type Endpoint, isConfigured } from "./endpoints/table.ts";
import { errorOf, type Failure, type CallResult, settle } from "./settle.ts";
import { signed } from "./call/sign.ts";

/** What the work is done with. */
export interface DeliveryDeps {
  readonly directory: Pick<Directory, "find">;
  readonly caller: Pick<Caller, "post">;
  readonly record: (row: AttemptRow) => Promise<void>;
  readonly forget: (before: Millis, limit: number) => Promise<number>;
  readonly clock: Clock;
  /** A number in [0, 1), another each time. */
  readonly chance: () => number;
}

/** Deliveries: look up where to, sign, call, settle. */
export const deliveries = (tools: DeliveryDeps, concurrency: number): Work => ({
  queue: QUEUE,
  concurrency,
  attempt: (job, signal, ensureLeased) => attempt(job, { signal, ensureLeased }, tools),
  forget: tools.forget,
});

/** What a call goes by. */
interface Limits {
  readonly signal: AbortSignal;
  readonly ensureLeased: EnsureLeased;
}

const attempt = async (job: Job, limits: Limits, tools: DeliveryDeps): Promise<Attempt> => {
  const delivery = job.payload as Delivery;
  const endpoint = await tools.directory.find(delivery.endpointId);
  if (endpoint === null && !isConfigured(delivery.endpointId)) return removed(delivery);
  const outcome = endpoint?.enabled ? await called(delivery, endpoint, limits, tools) : uncalled(endpoint);
  passFailpoint("answered", QUEUE);
  const at = tools.clock.now();
  const history = await recorded(job, delivery, outcome, at, tools);
  return {
    settlement: settle(outcome, { attempt: job.attempt, at, chance: tools.chance() }),
    publish: [],
    detail: { ...about(delivery, endpoint), ...said(outcome), ...history },
  };
};

const called = async (
  delivery: Delivery,
  endpoint: Endpoint,
  { signal, ensureLeased }: Limits,
  tools: DeliveryDeps,
): Promise<CallResult> => {
  const { eventId, body } = delivery;
  const headers = signed(endpoint.secret, eventId, body, tools.clock.now());
  passFailpoint("leased", QUEUE);
  ensureLeased();
  return tools.caller.post({ url: endpoint.url, headers, body }, signal);
};

const removed = (delivery: Delivery): Attempt => ({
  settlement: { state: "dead", error: "the endpoint was removed" },
  publish: [],
  detail: { ...about(delivery, null), failure: "removed" },
});

/** It may be called later: enabled again, or by a process whose configuration names it. */
const uncalled = (endpoint: Endpoint | null): Failure =>
  endpoint === null
    ? { failure: "unknown", message: "WEBHOOK_ENDPOINTS of this process doesn't name the endpoint", duration: 0 }
    : { failure: "disabled", message: "the endpoint is disabled", duration: 0 };

/**
 * The row is written before the job is settled, not with it: a crash in between leaves the row of an attempt that is
 * made again. It is history only: if it can't be written, the answer still counts, and the log line says so.
 */
const recorded = async (
  job: Job,
  { endpointId }: Delivery,
  outcome: CallResult,
  at: Millis,
  { record }: DeliveryDeps,
): Promise<{ readonly unrecorded?: string }> => {
  const answer =
    "failure" in outcome ? { status: null, excerpt: null } : { status: outcome.status, excerpt: outcome.excerpt };
  const { duration } = outcome;
  try {
    const { id: deliveryId, attempt: number } = job;
    await record({ deliveryId, attempt: number, at, endpointId, error: errorOf(outcome), duration, ...answer });
    return {};
  } catch (error) {
    return { unrecorded: messageOf(error) };
  }
};

/** Of the URL only the host is logged: a path may hold a secret. */
const about = (delivery: Delivery, endpoint: Endpoint | null): Attempt["detail"] => ({
  endpoint: delivery.endpointId,
  type: delivery.type,
  ...(endpoint === null ? {} : { host: new URL(endpoint.url).host }),
});

const said = (outcome: CallResult): Attempt["detail"] => {
  const { duration } = outcome;
  if ("failure" in outcome) return { failure: outcome.failure, duration };
  const { status, excerpt } = outcome;
  return { status, duration, ...(errorOf(outcome) === null ? {} : { excerpt }) };
};
