import { checkId } from "../platform/contract/identity.ts";
import { type ConversationId } from "../domain/ids.ts";
import { checkKey, type LogRecord } from "../domain/log-record.ts";
import type { Conversation, MessageEvent, ParticipantEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** An event of a conversation. `key` is the conversation's id. */
export type ConversationEvent =
  | {
      readonly type: "message";
      readonly key: ConversationId;
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly message: MessageEvent;
    }
  | {
      readonly type: "participant";
      readonly key: ConversationId;
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly participant: ParticipantEvent;
    }
  | {
      readonly type: "conversation";
      readonly key: ConversationId;
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly conversation: Conversation;
    }
  | { readonly type: "deleted"; readonly key: ConversationId; readonly at: Millis; readonly loggedAt: Millis };

/**
 * Reads the event of a conversation from a record. Throws Poison where key and value differ, or an id cannot be a row
 * key.
 */
export const readConversationEvent = (record: LogRecord): readonly ConversationEvent[] => {
  const { key, at, loggedAt } = record;
  switch (record.topic) {
    case "messages": {
      if (record.value === null) return []; // a tombstone means nothing on a topic that is not compacted
      checkKey(key, "conversationId", record.value.conversationId);
      checkId(record.value.messageId, "messageId");
      if (record.value.senderId !== null) checkId(record.value.senderId, "senderId"); // the sender of an OWN entry has an inbox
      return [{ type: "message", key, at, loggedAt, message: record.value }];
    }
    case "participants": {
      if (record.value === null) return [];
      checkKey(key, "conversationId", record.value.conversationId);
      checkId(record.value.userId, "userId");
      return [{ type: "participant", key, at, loggedAt, participant: record.value }];
    }
    case "conversations": {
      if (record.value === null) return [{ type: "deleted", key, at, loggedAt }];
      checkKey(key, "conversationId", record.value.conversationId);
      return [{ type: "conversation", key, at, loggedAt, conversation: record.value }];
    }
    default:
      return [];
  }
};
