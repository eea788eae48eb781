import type { Settlement } from "../platform/contract/ports.ts";
import { retryAt, webhookRetries } from "../domain/retry.ts";
import { DAY, type Millis, SECOND } from "../platform/contract/time.ts";
import { httpDate } from "./calendar.ts";

/** The longest wait that an answer's Retry-After can ask for. */
export const MAX_RETRY_AFTER = DAY;

/** The endpoint answered. */
export interface Answer {
  readonly status: number;
  /** How the body begins; "" where there is none. */
  readonly excerpt: string;
  /** The header fields Retry-After and Location as they came. */
  readonly retryAfter: string | null;
  readonly location: string | null;
  /** Milliseconds. */
  readonly duration: number;
}

/**
 * No answer. forbidden: an address that may not be called. name: the host's name gave no address. connect: nobody
 * takes connections there. tls: no trusted connection. timeout: no answer in time. broken: the connection ended, or
 * what came is not HTTP. stopped: this process stops. disabled, unknown: there was no call.
 */
export type FailureKind =
  "forbidden" | "name" | "connect" | "tls" | "timeout" | "broken" | "stopped" | "disabled" | "unknown";

export interface Failure {
  readonly failure: FailureKind;
  readonly message: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** What a call came to. */
export type CallResult = Answer | Failure;

/** Which attempt it was, from 1; when it ended; and a number in [0, 1) that spreads the next ones. */
export interface EndedAttempt {
  readonly attempt: number;
  readonly at: Millis;
  readonly chance: number;
}

/**
 * How a delivery stands after an attempt. 2xx: done. 410 Gone: dead, the endpoint says stop. All else is tried again
 * by `webhookRetries` and is dead when that is used up; 429 and 503 may put it off by Retry-After (RFC 9110, section
 * 10.2.3), never bring it forward. What this process's stop cut off is tried again at once.
 */
export const settle = (outcome: CallResult, tried: EndedAttempt): Settlement => {
  const error = errorOf(outcome);
  if (error === null) return { state: "done" };
  if ("failure" in outcome) {
    if (outcome.failure === "stopped") return { state: "retry", runAt: tried.at, error };
    return later(error, tried, 0);
  }
  if (outcome.status === 410) return { state: "dead", error };
  const asked = outcome.status === 429 || outcome.status === 503 ? retryAfter(outcome.retryAfter, tried.at) : 0;
  return later(error, tried, asked);
};

/** What was wrong in one line, or null after a 2xx. */
export const errorOf = (outcome: CallResult): string | null => {
  if ("failure" in outcome) return `${outcome.failure}: ${outcome.message}`;
  const { status, location } = outcome;
  if (status >= 200 && status < 300) return null;
  if (status === 410) return "HTTP 410: the endpoint is gone and wants no more";
  if (status >= 300 && status < 400 && location !== null)
    return `HTTP ${status}: redirects are not followed (to ${location}); register the final URL`;
  return `HTTP ${status}`;
};

const later = (error: string, { attempt, at, chance }: EndedAttempt, asked: number): Settlement => {
  const runAt = retryAt(webhookRetries, attempt, at, chance);
  if (runAt === null) return { state: "dead", error: `${error} (attempt ${attempt}, the last)` };
  return { state: "retry", runAt: Math.max(runAt, retryAt([asked], 1, at, chance) ?? at), error };
};

/** Milliseconds asked for, in seconds or until an HTTP-date; 0 where it says neither. */
const retryAfter = (field: string | null, now: Millis): number => {
  if (field === null) return 0;
  const text = field.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * SECOND : (httpDate(text, now) ?? now) - now;
  return Math.min(Math.max(wait, 0), MAX_RETRY_AFTER);
};
