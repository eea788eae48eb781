import type { NotificationEvent } from "../../domain/records.ts";

/** Reason codes of the ledger (services/inboxes/README.md, "Every decision is on record") as ends of sentences. */
const reasons: Readonly<Record<string, string>> = {
  self: "they wrote it themselves",
  system_message: "it is a system message",
  import: "it was imported",
  not_participant: "they did not take part in the conversation",
  no_access: "they had no access to the conversation",
  muted: "they had muted the conversation",
  not_mentioned: "they are told only of messages that mention them there, and it did not mention them",
  attending: "they had the conversation on screen",
  read: "they had read it",
  deleted: "it was deleted",
  unmentioned: "it was edited and did not mention them any more",
  left: "they had left the conversation",
  conversation_deleted: "the conversation was deleted",
  user_deleted: "the user was deleted",
  told: "a notification had been about it already",
  online: "they were online",
  timeout: "they had not been away, or it had not been missed, for long enough",
  settle: "more messages were still coming in",
  cooldown: "they had been told not long before",
  quiet_hours: "it was within their quiet hours",
  daily_cap: "they had been told as often as they may be in a day",
  no_address: "they have no address on record",
  unsubscribed: "they have unsubscribed",
  address_suppressed: "mail to the address is suppressed, after a bounce or a complaint",
  role_disabled: "mail is turned off for their role",
  superseded: "they had read it before the mail could be sent",
};

/** Puts a reason code into words. An unknown code, which a newer version wrote, stays as it is. */
export const reasonInWords = (code: string | null): string | null =>
  code === null ? null : Object.hasOwn(reasons, code) ? (reasons[code] ?? code) : code;

/** Puts an event of a notification into words. */
export const eventInWords = (event: NotificationEvent): string => {
  const { email, agent, url, statusCode, diagnostic, reason, conversationId } = event;
  const about = conversationId === null ? "" : ` about ${conversationId}`;
  const to = `${email === null ? "" : ` to ${email}`}${about}`;
  switch (event.type) {
    case "TRIGGERED":
      return `told: notification ${event.notificationId} about ${count(event.messageIds.length)}`;
    case "SUPPRESSED":
      return `no mail goes${to}: ${reasonInWords(reason)}`;
    case "SENT":
      return `the mail${to} was accepted by the next server`;
    case "DELIVERED":
      return `the mail${to} was delivered`;
    case "BOUNCED":
      return [`the mail${to} bounced (${reason})`, statusCode, diagnostic].filter((part) => part !== null).join(": ");
    case "COMPLAINED":
      return `the mail${to} was reported as spam`;
    case "OPENED":
      return `the mail${to} was opened by a ${(agent ?? "person").toLowerCase()}`;
    case "LINK_CLICKED":
      return `a ${(agent ?? "person").toLowerCase()} followed the link ${url ?? ""}`.trimEnd();
    case "UNSUBSCRIBED":
      return `they unsubscribed${email === null ? "" : ` ${email}`}`;
    case "RESUBSCRIBED":
      return `they subscribed again${email === null ? "" : ` with ${email}`}`;
    case "REPLIED":
      return `they replied by mail${conversationId === null ? "" : ` in ${conversationId}`}`;
  }
};

/** "3 messages" */
export const count = (messages: number): string => `${messages} message${messages === 1 ? "" : "s"}`;
