import { type Millis, DAY, HOUR, MINUTE, SECOND } from "../platform/contract/time.ts";

/** Waits between attempts: the first entry follows the first failure; after the last there is no further attempt. */
export type RetrySchedule = readonly number[];

/** Mail is retried as a mail server would (RFC 5321, section 4.5.4.1: give up after 4–5 days). */
export const mailRetries: RetrySchedule = [
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  DAY,
  DAY,
];

/** Webhooks are retried by the schedule that Standard Webhooks recommends. */
export const webhookRetries: RetrySchedule = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  DAY,
];

/** Greatest share by which a wait is lengthened, so that attempts that failed together are not repeated together. */
const JITTER = 0.1;

/**
 * Computes the time of the next attempt after `attempts` have failed; null: the schedule is used up.
 * @param chance in [0, 1): the caller draws it, so that this function is pure
 */
export const retryAt = (schedule: RetrySchedule, attempts: number, failedAt: Millis, chance: number): Millis | null => {
  const wait = schedule[attempts - 1];
  return wait === undefined ? null : Math.round(failedAt + wait * (1 + JITTER * chance));
};
