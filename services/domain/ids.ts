import { derivedId } from "../platform/contract/identity.ts";
import type { Millis } from "../platform/contract/time.ts";

/** Strings that tell their concept apart: plain strings fit, another concept's id does not. */
type Id<Concept extends string> = string & { readonly concept?: Concept };

export type UserId = Id<"user">;
export type ConversationId = Id<"conversation">;
/** Unique within its conversation only. */
export type MessageId = Id<"message">;
export type NotificationId = Id<"notification">;
/** Identity of a NotificationEvent: the same cause gives the same id, however often it is published. */
export type EventId = Id<"event">;

/** Identity of a notification: the recipient, the first missed message and the moment that message was first missed. */
export const notificationId = (
  user: UserId,
  conversation: ConversationId,
  message: MessageId,
  since: Millis,
): NotificationId => derivedId("notification", user, conversation, message, since);

/** Identity of an event of a notification. `detail` tells events of one type apart: an address, say. */
export const eventId = (notification: NotificationId, type: string, ...detail: readonly string[]): EventId =>
  derivedId("event", notification, type, ...detail);
