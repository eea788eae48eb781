import type { LedgerEntry, NotificationEvent } from "../core/records.ts";
import type { Millis } from "../core/time.ts";

/** Why no mail goes, though somebody was told (semantics, "What follows"). */
export type Suppression =
  "no_address" | "role_disabled" | "unsubscribed" | "superseded" | "user_deleted" | "conversation_deleted";

/** The verdict for the ledger. */
export const suppressedEntry = (
  { userId, conversationId, notificationId }: NotificationEvent,
  occurredAt: Millis,
  reason: Suppression,
): LedgerEntry => ({
  verdict: "SUPPRESSED",
  reason,
  users: [userId],
  conversationId,
  messageIds: [],
  notificationId,
  until: null,
  facts: {},
  occurredAt,
});
