import type { Publish } from "../domain/effect.ts";
import { eventId } from "../domain/ids.ts";
import type { NotificationEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

type Said = Partial<Pick<NotificationEvent, "email" | "reason" | "statusCode" | "diagnostic">>;

/**
 * What happened to a notification, told on its recipient's key. Identity: the id derives from the notification, the
 * type and the address, if it is about one; so a fact told twice, by whom ever, is one fact.
 */
export const follow = (
  triggered: NotificationEvent,
  type: "SENT" | "SUPPRESSED" | "BOUNCED",
  occurredAt: Millis,
  said: Said,
): Publish => {
  const { notificationId, userId, conversationId, channel } = triggered;
  const detail = typeof said.email === "string" ? [said.email] : [];
  const nothingMore = { email: null, reason: null, statusCode: null, diagnostic: null, url: null, agent: null };
  return {
    type: "publish",
    topic: "notifications",
    key: userId,
    value: {
      id: eventId(notificationId, type, ...detail),
      type,
      notificationId,
      userId,
      conversationId,
      channel,
      ...nothingMore,
      ...said,
      messageIds: [],
      snapshot: null,
      occurredAt,
    },
  };
};
