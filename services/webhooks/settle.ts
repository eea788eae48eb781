import type { Settlement } from "../platform/contract/ports.ts";
import { retryAt, webhookRetries } from "../domain/retry.ts";
import { DAY, type Millis, SECOND } from "../platform/contract/time.ts";
import { httpDate } from "./calendar.ts";

/** Longest wait that Retry-After can ask for. */
export const MAX_RETRY_AFTER = DAY;

/** The HTTP answer of an endpoint. */
export interface Answer {
  readonly status: number;
  /** Beginning of the body; "" where there is none. */
  readonly excerpt: string;
  /** Header fields Retry-After and Location, unparsed. */
  readonly retryAfter: string | null;
  readonly location: string | null;
  /** Milliseconds. */
  readonly duration: number;
}

/**
 * Reason for a missing answer. forbidden: the address may not be called. name: the host has no address. connect: the
 * connection was refused. tls: no trusted connection. timeout: no answer in time. broken: the connection ended, or the
 * answer is not HTTP. stopped: this process stops. disabled, unknown: no call was made.
 */
export type FailureKind =
  "forbidden" | "name" | "connect" | "tls" | "timeout" | "broken" | "stopped" | "disabled" | "unknown";

/** A call without an answer. */
export interface Failure {
  readonly failure: FailureKind;
  readonly message: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** Result of a call. */
export type CallResult = Answer | Failure;

/** Number of an attempt, from 1, the time at which it ended, and a number in [0, 1) that spreads retries. */
export interface EndedAttempt {
  readonly attempt: number;
  readonly at: Millis;
  readonly chance: number;
}

/**
 * Settles a delivery after an attempt. 2xx: done. 410 Gone: dead, as the endpoint asks. Any other result is retried by
 * `webhookRetries`, and dead when the schedule is used up. Retry-After (RFC 9110, section 10.2.3) of a 429 or 503 can put
 * a retry off, never bring it forward. An attempt that the stop of this process cut off is retried at once.
 */
export const settle = (result: CallResult, ended: EndedAttempt): Settlement => {
  const error = errorOf(result);
  if (error === null) return { state: "done" };
  if ("failure" in result) {
    if (result.failure === "stopped") return { state: "retry", runAt: ended.at, error };
    return retry(error, ended, 0);
  }
  if (result.status === 410) return { state: "dead", error };
  const asked = result.status === 429 || result.status === 503 ? retryAfter(result.retryAfter, ended.at) : 0;
  return retry(error, ended, asked);
};

/** Says the error of a call in one line; null after a 2xx. */
export const errorOf = (result: CallResult): string | null => {
  if ("failure" in result) return `${result.failure}: ${result.message}`;
  const { status, location } = result;
  if (status >= 200 && status < 300) return null;
  if (status === 410) return "HTTP 410: the endpoint is gone and wants no more";
  if (status >= 300 && status < 400 && location !== null)
    return `HTTP ${status}: redirects are not followed (to ${location}); register the final URL`;
  return `HTTP ${status}`;
};

/** Retries by the schedule, or after the wait that the endpoint asked for if that is longer. */
const retry = (error: string, { attempt, at, chance }: EndedAttempt, asked: number): Settlement => {
  const runAt = retryAt(webhookRetries, attempt, at, chance);
  if (runAt === null) return { state: "dead", error: `${error} (attempt ${attempt}, the last)` };
  return { state: "retry", runAt: Math.max(runAt, retryAt([asked], 1, at, chance) ?? at), error };
};

/** Parses Retry-After, in seconds or as an HTTP-date, into milliseconds; 0 where the field is neither. */
const retryAfter = (field: string | null, now: Millis): number => {
  if (field === null) return 0;
  const text = field.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * SECOND : (httpDate(text, now) ?? now) - now;
  return Math.min(Math.max(wait, 0), MAX_RETRY_AFTER);
};
