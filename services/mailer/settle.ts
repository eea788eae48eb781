import type { Publish } from "../domain/effect.ts";
import type { Settlement } from "../platform/contract/ports.ts";
import { mailRetries, retryAt } from "../domain/retry.ts";
import { type Millis, SECOND } from "../platform/contract/time.ts";
import { type Answer, type Refused, type Verdict, verdictOf } from "./smtp/reply.ts";
import { follow } from "./notification-event.ts";
import type { Letter } from "./rule.ts";
import { type Suppression, suppressedEntry } from "./suppression.ts";
import { line } from "./content/tidy.ts";

/** Longest diagnostic that is published, in UTF-16 code units. */
const MAX_DIAGNOSTIC = 500;
/** A letter younger than the whole schedule has not had its share of tries, whatever its attempts were spent on. */
const PATIENCE = mailRetries.reduce((sum, wait) => sum + wait, 0);
/** Waits for our own settings to be put right grow no longer than after this attempt (30 minutes). */
const OURS_GROWS_UNTIL = 4;

/** What an attempt came to; an Attempt of the runtime. */
export interface Outcome {
  readonly settlement: Settlement;
  readonly publish: readonly Publish[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An attempt that has got its answer. */
export interface Tried {
  readonly letter: Letter;
  /** From 1. */
  readonly attempt: number;
  readonly answer: Answer;
  readonly now: Millis;
  /** In [0, 1): see retryAt. */
  readonly chance: number;
}

/** From the server's answer to how the job stands and what is told of it. */
export const settle = (tried: Tried): Outcome => {
  const { letter, answer } = tried;
  const verdict = verdictOf(answer);
  const detail = detailOf(letter, answer, verdict);
  if (answer.kind === "accepted") {
    const sent = follow(letter.event, "SENT", tried.now, { email: letter.address });
    return { settlement: { state: "done" }, publish: [sent], detail };
  }
  const error = line(answer.text, MAX_DIAGNOSTIC);
  const runAt = nextTry(verdict, tried);
  if (runAt !== null) return { settlement: { state: "retry", runAt, error }, publish: [], detail };
  const bounced = follow(letter.event, "BOUNCED", tried.now, {
    email: letter.address,
    reason: verdict === "hard" || verdict === "block" ? verdict : "soft",
    statusCode: answer.enhanced,
    diagnostic: error,
  });
  return { settlement: { state: "dead", error }, publish: [bounced], detail };
};

/** A notification that is told so much later than it was due comes of a backlog, in which its recipient may have read it. */
const LATE: Millis = 5 * SECOND;
/** Between two looks whether that is through. */
const LOOK_AGAIN: Millis = SECOND;

/** Whether what its recipient did since it was due may not be known before everything of `loggedAt` is folded. */
export const isLate = ({ event, loggedAt }: Letter): boolean => loggedAt - event.occurredAt > LATE;

/** A letter that has to wait until it is known what its recipient has read. */
export const putOff = ({ address, event }: Letter, now: Millis): Outcome => ({
  settlement: { state: "put off", runAt: now + LOOK_AGAIN },
  publish: [],
  detail: { notificationId: event.notificationId, userId: event.userId, email: address, verdict: "late" },
});

/** A letter that is not to be sent any more: of the notification's other addresses each is decided by itself. */
export const suppress = ({ address, event }: Letter, reason: Suppression, now: Millis): Outcome => {
  const { notificationId, userId } = event;
  return {
    settlement: { state: "done" },
    publish: [
      follow(event, "SUPPRESSED", now, { email: address, reason }),
      {
        type: "publish",
        topic: "ledger",
        key: userId,
        value: { entries: [suppressedEntry(event, now, reason, address)] },
      },
    ],
    detail: { notificationId, userId, email: address, verdict: "suppressed", reason },
  };
};

/** null: not again. */
const nextTry = (verdict: Verdict, { letter, attempt, now, chance }: Tried): Millis | null => {
  if (verdict === "ours") return retryAt(mailRetries, Math.min(attempt, OURS_GROWS_UNTIL), now, chance);
  if (verdict !== "later") return null;
  const scheduled = retryAt(mailRetries, attempt, now, chance);
  if (scheduled !== null || now - letter.event.occurredAt >= PATIENCE) return scheduled;
  return retryAt(mailRetries, mailRetries.length, now, chance);
};

const detailOf = ({ address, event }: Letter, answer: Answer, verdict: Verdict): Outcome["detail"] => ({
  notificationId: event.notificationId,
  userId: event.userId,
  email: address,
  verdict,
  ...(answer.kind === "accepted" ? { response: answer.response, queueId: answer.queueId } : refusal(answer)),
});

const refusal = ({ stage, code, enhanced, perhapsTaken }: Refused): Outcome["detail"] => ({
  stage,
  code,
  enhanced,
  ...(perhapsTaken ? { perhapsTaken } : {}),
});
