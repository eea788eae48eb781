import type { NotificationEvent, NotificationEventType } from "../domain/records.ts";
import { iso8601 } from "./calendar.ts";

/** What subscribers know each event by: lower case, words apart by full stops, as Standard Webhooks has it. */
export const webhookTypes = {
  TRIGGERED: "notification.triggered",
  SUPPRESSED: "notification.suppressed",
  SENT: "notification.sent",
  DELIVERED: "notification.delivered",
  BOUNCED: "notification.bounced",
  COMPLAINED: "notification.complained",
  OPENED: "notification.opened",
  LINK_CLICKED: "notification.link.clicked",
  UNSUBSCRIBED: "notification.unsubscribed",
  RESUBSCRIBED: "notification.resubscribed",
  REPLIED: "notification.replied",
} as const satisfies Record<NotificationEventType, string>;

export type WebhookType = (typeof webhookTypes)[NotificationEventType];

/** The fields that hold a time, anywhere in a NotificationEvent. */
export const timeFields: ReadonlySet<string> = new Set(["occurredAt"]);

/**
 * The text that is posted (Standard Webhooks 1.0, "Payload structure"): `{id, type, timestamp, data}`. `data` is the
 * record of the topic notification.events, field by field, under the names it has there, with two differences:
 * every time is ISO 8601 in UTC with milliseconds, and what is null is left out (absent and null say the same, and a
 * field that a later version adds comes as quietly). Lists and maps are always there, if empty. Enums are their symbols.
 */
export const bodyOf = (event: NotificationEvent): string =>
  JSON.stringify(
    { id: event.id, type: webhookTypes[event.type], timestamp: iso8601(event.occurredAt), data: event },
    (name, value: unknown) => {
      if (value === null) return undefined;
      // What people name themselves lies in maps of strings: a number under this name is a field of ours.
      return typeof value === "number" && timeFields.has(name) ? iso8601(value) : value;
    },
  );
