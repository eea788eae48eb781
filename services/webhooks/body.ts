import type { NotificationEvent, NotificationEventType } from "../domain/records.ts";
import { iso8601 } from "./calendar.ts";

/** Public type of each event: lower case, with full stops between words, as in Standard Webhooks. */
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

/** Names of the fields that hold a time, anywhere in a NotificationEvent. */
export const timeFields: ReadonlySet<string> = new Set(["occurredAt"]);

/**
 * Makes the body of a webhook (Standard Webhooks 1.0, "Payload structure"): `{id, type, timestamp, data}`. `data` is the
 * record of the topic notification.events under its own field names, with two differences. Every time is ISO 8601 in UTC
 * with milliseconds, and a null field is left out. Absent and null mean the same, so a later version can add a field.
 * Empty lists and maps are kept. Enums are their symbols.
 */
export const bodyOf = (event: NotificationEvent): string =>
  JSON.stringify(
    { id: event.id, type: webhookTypes[event.type], timestamp: iso8601(event.occurredAt), data: event },
    (name, value: unknown) => {
      if (value === null) return undefined;
      // Names that users choose are in maps of strings, so a number under this name is a field of the event.
      return typeof value === "number" && timeFields.has(name) ? iso8601(value) : value;
    },
  );
