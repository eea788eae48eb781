import { type LookUp } from "../platform/runtime/row-lookup.ts";
import type { Work } from "../platform/contract/work.ts";
import { Fatal } from "../platform/contract/failure.ts";
import type { Clock } from "../platform/contract/ports.ts";
import type { Millis } from "../platform/contract/time.ts";
import { announce } from "../platform/runtime/facts.ts";
import { passFailpoint } from "../platform/runtime/failpoints.ts";
import { compose, type Branding } from "./content/compose.ts";
import { type Letter, MAIL_QUEUE } from "./rule.ts";
import { mailOf, type SenderIdentity } from "./content/mail.ts";
import { outdated, presentOf } from "./outdated.ts";
import type { MailClient } from "./smtp/client.ts";
import type { Render } from "./content/render.ts";
import { isLate, putOff, settle, suppress } from "./settle.ts";

/** Dependencies of the mailer's work. */
export interface MailerDeps {
  readonly mailClient: MailClient;
  readonly render: Render;
  /** Reads the present state before each attempt: read messages and unsubscribed addresses are not mailed. */
  readonly lookUp: LookUp;
  /** Time up to which every record logged is visible to `lookUp`. */
  readonly flowWatermark: () => Promise<Millis>;
  /** Checks that every choice of mail logged by a time is visible to `lookUp`. Throws Transient. */
  hasChoicesOf(at: Millis): Promise<boolean>;
  readonly clock: Clock;
  /** Draws a number in [0, 1): it spreads the retries of letters that failed together. */
  readonly chance: () => number;
  readonly branding: Branding;
  readonly sender: SenderIdentity;
  /** Mails under way at once. */
  readonly concurrency: number;
}

/**
 * Sends letters. The mail server accepts each at least once. It accepts one twice only where its reply to the final dot
 * was lost, or this process died before it saved the reply; the second mail then has the same Message-ID.
 */
export const mailing = ({
  mailClient,
  render,
  lookUp,
  flowWatermark,
  hasChoicesOf,
  clock,
  chance,
  branding,
  sender,
  concurrency,
}: MailerDeps): Work => ({
  queue: MAIL_QUEUE,
  concurrency,
  async attempt(job, signal, ensureLeased) {
    const letter = job.payload as Letter; // the processor enqueued it
    const { event } = letter;
    if (event.snapshot === null)
      throw new Fatal(`the letter ${job.id} in the mail queue has no snapshot: only a bug enqueues one`);
    const { loggedAt } = letter;
    if (!(await hasChoicesOf(loggedAt)) || (isLate(letter) && (await flowWatermark()) < loggedAt))
      return putOff(letter, clock.now());
    const present = await presentOf(event.userId, event.snapshot, lookUp);
    const reason = outdated(event.snapshot, letter.address, event.occurredAt, present);
    if (reason !== null) return suppress(letter, reason, clock.now());
    const mail = mailOf(letter, render(compose(event, event.snapshot, branding)), sender);
    passFailpoint("leased", MAIL_QUEUE);
    ensureLeased();
    const answer = await mailClient.send(mail, signal, ensureLeased);
    const now = clock.now();
    const settled = settle({ letter, attempt: job.attempt, answer, now, chance: chance() });
    const { settlement, detail } = settled;
    if (detail["verdict"] === "ours" && settlement.state === "retry") {
      const error = new Error(
        `the mail server refuses us, not the recipient; check SMTP_URL and MAIL_FROM: ${settlement.error}`,
      );
      announce("stumbled", { loop: MAIL_QUEUE, error, wait: settlement.runAt - now });
    }
    return settled;
  },
});
