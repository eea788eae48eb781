import { derivedId } from "../../platform/contract/identity.ts";
import type { NotificationEvent } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Letter } from "../rule.ts";
import type { Rendered } from "./render.ts";
import { MAX_NAME } from "./sender.ts";
import { line } from "./tidy.ts";

/** A mail, complete but for its encoding: the same letter always makes the same mail, octet by octet. */
export interface Mail extends Rendered {
  /** With its angle brackets. */
  readonly messageId: string;
  /** Message-ID that stands for the thread; there need not be such a mail. */
  readonly thread: string;
  readonly date: Millis;
  readonly from: Mailbox;
  readonly to: Mailbox;
  /** The rest of the header, by name; values in ASCII. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who sends. */
export interface Sending {
  readonly from: Mailbox;
  /** Right-hand side of the Message-IDs. */
  readonly domain: string;
}

/**
 * Identity of a mail (RFC 5322, section 3.6.4): one for each notification and address, whatever the attempt, so that a
 * server or client that gets it twice can tell.
 */
const messageIdOf = ({ address, event }: Letter, domain: string): string =>
  `<${derivedId("mail", event.notificationId, address)}@${domain}>`;

/**
 * Identity of a thread: the mails to a recipient about one conversation belong together, and so do those about several.
 * (Gmail also wants the same subject, and shows threads whose subjects count messages apart.)
 */
const threadOf = ({ userId, conversationId }: NotificationEvent, domain: string): string =>
  conversationId === null
    ? `<${derivedId("threads", userId)}@${domain}>`
    : `<${derivedId("thread", userId, conversationId)}@${domain}>`;

/**
 * Date is the time of the notification, not of the attempt: that is when the mail was "ready to enter the mail delivery
 * system" (RFC 5322, section 3.6.1), a second attempt is not another mail, and the times in it are relative to that day.
 */
export const mailOf = (letter: Letter, rendered: Rendered, { from, domain }: Sending): Mail => {
  const { address, event } = letter;
  return {
    ...rendered,
    messageId: messageIdOf(letter, domain),
    thread: threadOf(event, domain),
    date: event.occurredAt,
    from,
    to: { name: line(event.snapshot?.recipient.name ?? "", MAX_NAME), address },
    headers: {
      // A program wrote it, not in answer to a mail (RFC 3834, section 5); Exchange asks in words of its own.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "X-Whileaway-Notification": event.notificationId,
    },
  };
};
