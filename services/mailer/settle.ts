import type { Publish } from "../domain/effect.ts";
import type { Attempt } from "../platform/contract/work.ts";
import { mailRetries, retryAt } from "../domain/retry.ts";
import { type Millis, SECOND } from "../platform/contract/time.ts";
import { type Answer, type Refused, type Verdict, verdictOf } from "./smtp/reply.ts";
import { notificationEvent } from "./notification-event.ts";
import type { Letter } from "./rule.ts";
import { type Suppression, suppressedEntry } from "./suppression.ts";
import { line } from "./content/tidy.ts";

/** Maximum length of the diagnostic published, in UTF-16 code units. */
const MAX_DIAGNOSTIC = 500;
/** The whole retry schedule. A younger letter is tried again, even if an outage of ours used all its attempts up. */
const PATIENCE = mailRetries.reduce((sum, wait) => sum + wait, 0);
/** Attempt after which the wait for our own settings to be corrected grows no longer (30 minutes). */
const OURS_GROWS_UNTIL = 4;

/** An attempt that the mail server has answered. */
export interface AnsweredAttempt {
  readonly letter: Letter;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  readonly answer: Answer;
  readonly now: Millis;
  /** Number in [0, 1): see retryAt. */
  readonly chance: number;
}

/** Settles a letter by the mail server's answer: done, retry, or dead with a bounce. */
export const settle = (answered: AnsweredAttempt): Attempt => {
  const { letter, answer } = answered;
  const verdict = verdictOf(answer);
  const detail = detailOf(letter, answer, verdict);
  if (answer.kind === "accepted") {
    const sent = notificationEvent(letter.event, "SENT", answered.now, { email: letter.address });
    return { settlement: { state: "done" }, publish: [sent], detail };
  }
  const error = line(answer.text, MAX_DIAGNOSTIC);
  const runAt = nextAttemptAt(verdict, answered);
  if (runAt !== null) return { settlement: { state: "retry", runAt, error }, publish: [], detail };
  const bounced = notificationEvent(letter.event, "BOUNCED", answered.now, {
    email: letter.address,
    reason: verdict === "hard" || verdict === "block" ? verdict : "soft",
    statusCode: answer.enhanced,
    diagnostic: error,
  });
  return { settlement: { state: "dead", error }, publish: [bounced], detail };
};

/** Delay beyond which a notification comes from a backlog, in which its recipient may have read it since. */
const LATE: Millis = 5 * SECOND;
/** Wait before a late letter is checked again. */
const LOOK_AGAIN: Millis = SECOND;

/** Checks that a letter comes from a backlog: such a letter waits until everything logged before `loggedAt` is folded. */
export const isLate = ({ event, loggedAt }: Letter): boolean => loggedAt - event.occurredAt > LATE;

/** Puts a letter off until the recipient's read positions are known. */
export const putOff = ({ address, event }: Letter, now: Millis): Attempt => ({
  settlement: { state: "put off", runAt: now + LOOK_AGAIN },
  publish: [],
  detail: { notificationId: event.notificationId, userId: event.userId, email: address, verdict: "late" },
});

/** Suppresses a letter. Letters to the other addresses of its notification are decided on their own. */
export const suppress = ({ address, event }: Letter, reason: Suppression, now: Millis): Attempt => {
  const { notificationId, userId } = event;
  const entries = [suppressedEntry(event, now, reason, address)];
  const ledger: Publish = { type: "publish", topic: "ledger", key: userId, value: { entries } };
  return {
    settlement: { state: "done" },
    publish: [notificationEvent(event, "SUPPRESSED", now, { email: address, reason }), ledger],
    detail: { notificationId, userId, email: address, verdict: "suppressed", reason },
  };
};

/** Returns the time of the next attempt, or null to give up. */
const nextAttemptAt = (verdict: Verdict, { letter, attempt, now, chance }: AnsweredAttempt): Millis | null => {
  if (verdict === "ours") return retryAt(mailRetries, Math.min(attempt, OURS_GROWS_UNTIL), now, chance);
  if (verdict !== "later") return null;
  const scheduled = retryAt(mailRetries, attempt, now, chance);
  if (scheduled !== null || now - letter.event.occurredAt >= PATIENCE) return scheduled;
  return retryAt(mailRetries, mailRetries.length, now, chance);
};

const detailOf = ({ address, event }: Letter, answer: Answer, verdict: Verdict): Attempt["detail"] => ({
  notificationId: event.notificationId,
  userId: event.userId,
  email: address,
  verdict,
  ...(answer.kind === "accepted" ? { response: answer.response, queueId: answer.queueId } : refusalDetail(answer)),
});

const refusalDetail = ({ stage, code, enhanced, perhapsTaken }: Refused): Attempt["detail"] => ({
  stage,
  code,
  enhanced,
  ...(perhapsTaken ? { perhapsTaken } : {}),
});
