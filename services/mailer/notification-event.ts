import type { Publish } from "../domain/effect.ts";
import { eventId } from "../domain/ids.ts";
import type { NotificationEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

type Detail = Partial<Pick<NotificationEvent, "email" | "reason" | "statusCode" | "diagnostic">>;

/**
 * Makes the event about the outcome of a notification, with its recipient as the key. Identity: the id derives from
 * the notification, the type and the address, where there is one. An event that is published twice has the same id.
 */
export const notificationEvent = (
  triggered: NotificationEvent,
  type: "SENT" | "SUPPRESSED" | "BOUNCED",
  occurredAt: Millis,
  detail: Detail,
): Publish => {
  const { notificationId, userId, conversationId, channel } = triggered;
  const about = typeof detail.email === "string" ? [detail.email] : [];
  const emptyDetail = { email: null, reason: null, statusCode: null, diagnostic: null, url: null, agent: null };
  return {
    type: "publish",
    topic: "notifications",
    key: userId,
    value: {
      id: eventId(notificationId, type, ...about),
      type,
      notificationId,
      userId,
      conversationId,
      channel,
      ...emptyDetail,
      ...detail,
      messageIds: [],
      snapshot: null,
      occurredAt,
    },
  };
};
