import { Poison } from "../platform/contract/failure.ts";
import { checkId } from "../platform/contract/identity.ts";
import { type ConversationId } from "../domain/ids.ts";
import type { LogRecord } from "../domain/log-record.ts";
import type { Conversation, MessageEvent, ParticipantEvent } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** What happens to a conversation. `key` is its id. */
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

/** Reads the chat's records by conversation. Throws Poison where key and value don't agree or an id can't be kept. */
export const readConversationEvent = (record: LogRecord): readonly ConversationEvent[] => {
  const { key, at, loggedAt } = record;
  switch (record.topic) {
    case "messages": {
      if (record.value === null) return []; // a tombstone on a topic that isn't compacted says nothing
      agree(key, record.value.conversationId);
      checkId(record.value.messageId, "messageId");
      if (record.value.senderId !== null) checkId(record.value.senderId, "senderId"); // an inbox, too, if they wrote it
      return [{ type: "message", key, at, loggedAt, message: record.value }];
    }
    case "participants": {
      if (record.value === null) return [];
      agree(key, record.value.conversationId);
      checkId(record.value.userId, "userId");
      return [{ type: "participant", key, at, loggedAt, participant: record.value }];
    }
    case "conversations": {
      if (record.value === null) return [{ type: "deleted", key, at, loggedAt }];
      agree(key, record.value.conversationId);
      return [{ type: "conversation", key, at, loggedAt, conversation: record.value }];
    }
    default:
      return [];
  }
};

const agree = (key: string, field: ConversationId): void => {
  if (key !== field) throw new Poison(`its key is "${key}" but its conversationId "${field}"`);
};
