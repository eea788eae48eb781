import { derivedId } from "../platform/contract/identity.ts";
import type { Millis } from "../platform/contract/time.ts";

/** A string with its concept in its type: a plain string fits, the id of another concept does not. */
type Id<Concept extends string> = string & { readonly concept?: Concept };

export type UserId = Id<"user">;
export type ConversationId = Id<"conversation">;
/** An id that is unique only within its conversation. */
export type MessageId = Id<"message">;
export type NotificationId = Id<"notification">;
/** Identity of a NotificationEvent: the same cause gives the same id, even if the event is published again. */
export type EventId = Id<"event">;

/** Identity of a notification: the recipient, the first missed message and the moment that message was first missed. */
export const notificationId = (
  user: UserId,
  conversation: ConversationId,
  message: MessageId,
  since: Millis,
): NotificationId => derivedId("notification", user, conversation, message, since);

/** Identity of an event of a notification. `detail` (an address, say) tells events of one type apart. */
export const eventId = (notification: NotificationId, type: string, ...detail: readonly string[]): EventId =>
  derivedId("event", notification, type, ...detail);
