import type { LedgerEntry, NotificationEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** The reason for which a notification is not mailed (services/inboxes/README.md, "What follows"). */
export type Suppression =
  "no_address" | "role_disabled" | "unsubscribed" | "superseded" | "user_deleted" | "conversation_deleted";

/** Makes the ledger entry of a suppressed mail. @param email the address suppressed; null: all of them */
export const suppressedEntry = (
  { userId, conversationId, notificationId }: NotificationEvent,
  occurredAt: Millis,
  reason: Suppression,
  email: string | null = null,
): LedgerEntry => ({
  verdict: "SUPPRESSED",
  reason,
  users: [userId],
  conversationId,
  messageIds: [],
  notificationId,
  until: null,
  facts: email === null ? {} : { email },
  occurredAt,
});
