import { type LookUp } from "../platform/runtime/row-lookup.ts";
import type { Work } from "../platform/contract/work.ts";
import { Fatal } from "../platform/contract/failure.ts";
import type { Clock } from "../platform/contract/ports.ts";
import type { Millis } from "../platform/contract/time.ts";
import { announce } from "../platform/runtime/facts.ts";
import { passFailpoint } from "../platform/runtime/failpoints.ts";
import { compose, type Setting } from "./content/compose.ts";
import { type Letter, MAIL_QUEUE } from "./rule.ts";
import { mailOf, type Sending } from "./content/mail.ts";
import { outdated, presentOf } from "./outdated.ts";
import type { Post } from "./smtp/client.ts";
import type { Render } from "./content/render.ts";
import { isLate, putOff, settle, suppress } from "./settle.ts";

export interface Desk {
  readonly post: Post;
  readonly render: Render;
  /** How things stand is asked before each attempt: what was read meanwhile is not mailed, nor is who unsubscribed. */
  readonly lookUp: LookUp;
  /** Up to when everything that the log had is known to `lookUp`. */
  readonly pace: () => Promise<Millis>;
  /** Whether every choice of mail that the log had at a time is known to `lookUp`. Throws Transient. */
  hasChoicesOf(at: Millis): Promise<boolean>;
  readonly clock: Clock;
  /** In [0, 1), drawn anew each time: spreads what failed together. */
  readonly chance: () => number;
  readonly setting: Setting;
  readonly sending: Sending;
  /** Mails under way at once. */
  readonly concurrency: number;
}

/**
 * Sends letters. Each is accepted by the server at least once; twice only where the server took it and its reply to the
 * final dot never reached us, or our process died before it could say so: then with the same Message-ID.
 */
export const mailing = ({
  post,
  render,
  lookUp,
  pace,
  hasChoicesOf,
  clock,
  chance,
  setting,
  sending,
  concurrency,
}: Desk): Work => ({
  queue: MAIL_QUEUE,
  concurrency,
  async attempt(job, signal, ensureLeased) {
    const letter = job.payload as Letter; // as the processor made it
    const { event } = letter;
    if (event.snapshot === null) throw new Fatal(`the letter ${job.id} has no snapshot`);
    const { loggedAt } = letter;
    if (!(await hasChoicesOf(loggedAt)) || (isLate(letter) && (await pace()) < loggedAt))
      return putOff(letter, clock.now());
    const present = await presentOf(event.userId, event.snapshot, lookUp);
    const reason = outdated(event.snapshot, letter.address, event.occurredAt, present);
    if (reason !== null) return suppress(letter, reason, clock.now());
    const mail = mailOf(letter, render(compose(event, event.snapshot, setting)), sending);
    passFailpoint("leased", MAIL_QUEUE);
    ensureLeased();
    const answer = await post.send(mail, signal, ensureLeased);
    const now = clock.now();
    const outcome = settle({ letter, attempt: job.attempt, answer, now, chance: chance() });
    if (outcome.detail["verdict"] === "ours" && outcome.settlement.state === "retry") {
      const error = new Error(`the mail server refuses us, not the recipient: ${outcome.settlement.error}`);
      announce("stumbled", { loop: MAIL_QUEUE, error, wait: outcome.settlement.runAt - now });
    }
    return outcome;
  },
});
