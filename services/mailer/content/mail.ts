import { derivedId } from "../../platform/contract/identity.ts";
import type { NotificationEvent } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Letter } from "../rule.ts";
import type { Rendered } from "./render.ts";
import { MAX_NAME } from "./sender.ts";
import { line } from "./tidy.ts";

/** A mail before it is encoded. The same letter always makes the same mail, octet by octet. */
export interface Mail extends Rendered {
  /** Message-ID with its angle brackets. */
  readonly messageId: string;
  /** Message-ID that names the thread; no mail needs to have it. */
  readonly thread: string;
  readonly date: Millis;
  readonly from: Mailbox;
  readonly to: Mailbox;
  /** Other header fields by name; values in ASCII. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The sender of every mail. */
export interface SenderIdentity {
  readonly from: Mailbox;
  /** Right-hand side of the Message-IDs. */
  readonly domain: string;
}

/**
 * Identity of a mail (RFC 5322, section 3.6.4): the same at every attempt, so that a server or client that gets the mail
 * twice can drop the second.
 */
const messageIdOf = ({ address, event }: Letter, domain: string): string =>
  `<${derivedId("mail", event.notificationId, address)}@${domain}>`;

/**
 * Identity of a thread: one for a recipient and conversation, and one for all mails about several conversations. (Gmail
 * also wants equal subjects, so it splits threads whose subjects count different numbers of messages.)
 */
const threadOf = ({ userId, conversationId }: NotificationEvent, domain: string): string =>
  conversationId === null
    ? `<${derivedId("threads", userId)}@${domain}>`
    : `<${derivedId("thread", userId, conversationId)}@${domain}>`;

/**
 * Makes the mail of a letter. Its Date is the time of the notification, not of the attempt: then it was "ready to enter
 * the mail delivery system" (RFC 5322, section 3.6.1), and the times in its text are relative to that day.
 */
export const mailOf = (letter: Letter, rendered: Rendered, { from, domain }: SenderIdentity): Mail => {
  const { address, event } = letter;
  return {
    ...rendered,
    messageId: messageIdOf(letter, domain),
    thread: threadOf(event, domain),
    date: event.occurredAt,
    from,
    to: { name: line(event.snapshot?.recipient.name ?? "", MAX_NAME), address },
    headers: {
      // A program wrote the mail, not in answer to one (RFC 3834, section 5). Exchange has its own header for that.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "X-Whileaway-Notification": event.notificationId,
    },
  };
};
