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

/** Dependencies of the deliveries. */
export interface DeliveryDeps {
  readonly directory: Pick<Directory, "find">;
  readonly caller: Pick<Caller, "post">;
  readonly record: (row: AttemptRow) => Promise<void>;
  readonly forget: (before: Millis, limit: number) => Promise<number>;
  readonly clock: Clock;
  /** Draws a number in [0, 1): it spreads retries. */
  readonly chance: () => number;
}

/** Delivers webhooks: looks up the endpoint, signs, calls, settles. */
export const deliveries = (deps: DeliveryDeps, concurrency: number): Work => ({
  queue: QUEUE,
  concurrency,
  attempt: (job, signal, ensureLeased) => attempt(job, { signal, ensureLeased }, deps),
  forget: deps.forget,
});

/** Limits of a call: the stop of the process, and the lease of the job. */
interface Limits {
  readonly signal: AbortSignal;
  readonly ensureLeased: EnsureLeased;
}

const attempt = async (job: Job, limits: Limits, deps: DeliveryDeps): Promise<Attempt> => {
  const delivery = job.payload as Delivery;
  const endpoint = await deps.directory.find(delivery.endpointId);
  if (endpoint === null && !isConfigured(delivery.endpointId)) return removed(delivery);
  const result = endpoint?.enabled ? await called(delivery, endpoint, limits, deps) : uncalled(endpoint);
  passFailpoint("answered", QUEUE);
  const at = deps.clock.now();
  const history = await recorded(job, delivery, result, at, deps);
  return {
    settlement: settle(result, { attempt: job.attempt, at, chance: deps.chance() }),
    publish: [],
    detail: { ...deliveryDetail(delivery, endpoint), ...resultDetail(result), ...history },
  };
};

const called = async (
  delivery: Delivery,
  endpoint: Endpoint,
  { signal, ensureLeased }: Limits,
  deps: DeliveryDeps,
): Promise<CallResult> => {
  const { eventId, body } = delivery;
  const headers = signed(endpoint.secret, eventId, body, deps.clock.now());
  passFailpoint("leased", QUEUE);
  ensureLeased();
  return deps.caller.post({ url: endpoint.url, headers, body }, signal);
};

const removed = (delivery: Delivery): Attempt => ({
  settlement: { state: "dead", error: "the endpoint was removed" },
  publish: [],
  detail: { ...deliveryDetail(delivery, null), failure: "removed" },
});

/** Fails without a call. A later attempt may succeed: after the endpoint is enabled, or in a process that knows it. */
const uncalled = (endpoint: Endpoint | null): Failure =>
  endpoint === null
    ? { failure: "unknown", message: "WEBHOOK_ENDPOINTS of this process doesn't name the endpoint", duration: 0 }
    : { failure: "disabled", message: "the endpoint is disabled", duration: 0 };

/**
 * Writes the attempt's row before the job is settled, not with it: a crash in between leaves the row of an attempt that
 * is repeated. The row is only history. If it can't be written, the answer still counts, and the log line says so.
 */
const recorded = async (
  job: Job,
  { endpointId }: Delivery,
  result: CallResult,
  at: Millis,
  { record }: DeliveryDeps,
): Promise<{ readonly unrecorded?: string }> => {
  const answer =
    "failure" in result ? { status: null, excerpt: null } : { status: result.status, excerpt: result.excerpt };
  const { duration } = result;
  try {
    const { id: deliveryId, attempt: number } = job;
    await record({ deliveryId, attempt: number, at, endpointId, error: errorOf(result), duration, ...answer });
    return {};
  } catch (error) {
    return { unrecorded: messageOf(error) };
  }
};

/** Describes a delivery for the log, with the host alone of its URL: a path may hold a secret. */
const deliveryDetail = (delivery: Delivery, endpoint: Endpoint | null): Attempt["detail"] => ({
  endpoint: delivery.endpointId,
  type: delivery.type,
  ...(endpoint === null ? {} : { host: new URL(endpoint.url).host }),
});

/** Describes the result of a call for the log. */
const resultDetail = (result: CallResult): Attempt["detail"] => {
  const { duration } = result;
  if ("failure" in result) return { failure: result.failure, duration };
  const { status, excerpt } = result;
  return { status, duration, ...(errorOf(result) === null ? {} : { excerpt }) };
};
