import type { LedgerEntry, NotificationEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** Why no mail goes, though somebody was told (semantics, "What follows"). */
export type Suppression =
  "no_address" | "role_disabled" | "unsubscribed" | "superseded" | "user_deleted" | "conversation_deleted";

/** The verdict for the ledger. @param email the address whose mail doesn't go; null: none goes */
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
