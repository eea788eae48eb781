import type { ConversationView, MessageView, NotificationEvent, Person } from "../../domain/records.ts";
import { MINUTE, type Millis } from "../../platform/contract/time.ts";

/** Notifications for specs, with defaults for every field that a spec leaves out. */

/** 2025-03-03T12:00Z, a Monday. */
export const NOON: Millis = 1_741_003_200_000;

export const person = (name: string, more: Partial<Person> = {}): Person => ({
  userId: name.split(" ")[0]?.toLowerCase() ?? "",
  name,
  emails: [],
  role: null,
  locale: null,
  timezone: null,
  photoUrl: null,
  custom: {},
  ...more,
});

export const message = (sender: Person | null, text: string, more: Partial<MessageView> = {}): MessageView => ({
  messageId: `m-${text.length}`,
  kind: "USER",
  sender,
  text,
  attachments: [],
  mentioned: false,
  referencedMessageId: null,
  occurredAt: NOON - 10 * MINUTE,
  ...more,
});

export const conversation = (
  subject: string | null,
  messages: readonly MessageView[],
  more: Partial<ConversationView> = {},
): ConversationView => ({
  conversationId: "c-1",
  subject,
  photoUrl: null,
  custom: {},
  access: "READ_WRITE",
  messages,
  omitted: 0,
  ...more,
});

export const grace = person("Grace Hopper", {
  emails: ["grace@example.com"],
  locale: "en-GB",
  timezone: "Europe/Berlin",
});

export const triggered = (
  conversations: readonly ConversationView[],
  recipient: Person = grace,
  more: Partial<NotificationEvent> = {},
): NotificationEvent => ({
  id: "e-1",
  type: "TRIGGERED",
  notificationId: "n-1",
  userId: recipient.userId,
  channel: "EMAIL",
  conversationId: conversations.length === 1 ? (conversations[0]?.conversationId ?? null) : null,
  messageIds: ["m-1"],
  email: null,
  reason: null,
  statusCode: null,
  diagnostic: null,
  url: null,
  agent: null,
  snapshot: { recipient, conversations },
  occurredAt: NOON,
  ...more,
});
