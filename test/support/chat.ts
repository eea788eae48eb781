import type { NewRecord as AnySaid } from "../../services/domain/log-record.ts";
import type {
  Conversation,
  MessageEvent,
  ParticipantEvent,
  PresenceEvent,
  User,
} from "../../services/domain/records.ts";
import type { TopicId } from "../../services/domain/topics.ts";
import { type Millis, MINUTE, SECOND } from "../../services/platform/contract/time.ts";

type Said<T extends TopicId> = Extract<AnySaid, { topic: T }>;

/** A moment of the test's day, given as "12:01" or "12:01:30", in UTC. */
export const at = (clock: string): Millis => {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").map(Number);
  return Date.UTC(2026, 0, 5) + (hours * 60 + minutes) * MINUTE + seconds * SECOND;
};

/** Records of a chat product, with defaults for the fields that a test doesn't name. */

export const user = (userId: string, time: string, more: Partial<User> = {}): Said<"users"> => ({
  topic: "users",
  key: userId,
  value: {
    userId,
    name: userId,
    emails: [`${userId}@example.org`],
    role: null,
    locale: null,
    timezone: null,
    photoUrl: null,
    custom: {},
    occurredAt: at(time),
    ...more,
  },
});

export const conversation = (id: string, time: string, more: Partial<Conversation> = {}): Said<"conversations"> => ({
  topic: "conversations",
  key: id,
  value: { conversationId: id, subject: id, photoUrl: null, custom: {}, occurredAt: at(time), ...more },
});

export const participant = (
  conversationId: string,
  userId: string,
  time: string,
  more: Partial<ParticipantEvent> = {},
): Said<"participants"> => ({
  topic: "participants",
  key: conversationId,
  value: { type: "JOINED", conversationId, userId, access: "READ_WRITE", notify: "ALL", occurredAt: at(time), ...more },
});

export const message = (
  conversationId: string,
  senderId: string | null,
  messageId: string,
  time: string,
  more: Partial<MessageEvent> = {},
): Said<"messages"> => ({
  topic: "messages",
  key: conversationId,
  value: {
    type: "SENT",
    conversationId,
    messageId,
    kind: "USER",
    senderId,
    text: `text of ${messageId}`,
    attachments: [],
    mentions: [],
    referencedMessageId: null,
    origin: "WEB",
    custom: {},
    occurredAt: at(time),
    ...more,
  },
});

export const presence = (
  userId: string,
  type: PresenceEvent["type"],
  time: string,
  more: Partial<PresenceEvent> = {},
): Said<"presence"> => ({
  topic: "presence",
  key: userId,
  value: { type, userId, sessionId: "tab", conversationId: null, readUntil: null, occurredAt: at(time), ...more },
});
