/**
 * Histories: the log line by line, in its order. A file of lines (JSON, one array) is enough for a judge or a run to
 * decide all notifications.
 */
import type {
  Access,
  Cooldown,
  Group,
  MessageEventType,
  MessageKind,
  MessageOrigin,
  Notify,
  ParticipantEventType,
  PresenceEventType,
  QuietHours,
  WhileOnline,
} from "../../services/domain/records.ts";

/** A line of chat.messages, without the fields that no rule reads (text, attachments). */
export interface MessageValue {
  readonly type: MessageEventType;
  readonly conversationId: string;
  readonly messageId: string;
  readonly kind: MessageKind;
  readonly senderId: string | null;
  readonly mentions: readonly string[];
  readonly origin: MessageOrigin;
  readonly occurredAt: number;
}

/** A line of chat.participants. */
export interface ParticipantValue {
  readonly type: ParticipantEventType;
  readonly conversationId: string;
  readonly userId: string;
  readonly access: Access;
  readonly notify: Notify;
  readonly occurredAt: number;
}

/** A line of chat.presence. */
export interface PresenceValue {
  readonly type: PresenceEventType;
  readonly userId: string;
  readonly sessionId: string;
  readonly conversationId: string | null;
  readonly readUntil: number | null;
  readonly occurredAt: number;
}

/** A line of chat.users. */
export interface UserValue {
  readonly userId: string;
  readonly name: string;
  readonly emails: readonly string[] | null;
  readonly role: string | null;
  readonly timezone: string | null;
  readonly occurredAt: number;
}

/** A line of chat.conversations. */
export interface ConversationValue {
  readonly conversationId: string;
  readonly subject: string | null;
  readonly occurredAt: number;
}

/** A line of notification.settings, its key the role. Absent fields have their defaults; times are in seconds. */
export interface SettingsValue {
  readonly timeout?: number;
  readonly settle?: number;
  readonly cooldown?: Cooldown;
  readonly whileOnline?: WhileOnline;
  readonly group?: Group;
  readonly quietHours?: QuietHours | null;
  readonly dailyCap?: number | null;
  readonly emailEnabled?: boolean;
  readonly occurredAt: number;
}

interface Entry<Topic extends string, Value> {
  readonly topic: Topic;
  /** The record's Kafka timestamp: when the log had it. */
  readonly at: number;
  readonly key: string;
  /** Enums as strings, times in milliseconds; null is a tombstone. */
  readonly value: Value;
}

/** One record of a history. */
export type Line =
  | Entry<"chat.messages", MessageValue>
  | Entry<"chat.participants", ParticipantValue>
  | Entry<"chat.presence", PresenceValue>
  | Entry<"chat.users", UserValue | null>
  | Entry<"chat.conversations", ConversationValue | null>
  | Entry<"notification.settings", SettingsValue | null>;

/** A record's fields beside its times; without `occurredAt` that is `at`. */
type Timed<Value extends { readonly occurredAt: number }> = Omit<Value, "occurredAt"> & {
  readonly occurredAt?: number;
};

/** A message event; by default a user's message from the web that mentions nobody. */
export function message(
  at: number,
  type: MessageEventType,
  conversationId: string,
  messageId: string,
  more: Partial<MessageValue> = {},
): Line {
  const value: MessageValue = {
    type,
    conversationId,
    messageId,
    kind: "USER",
    senderId: null,
    mentions: [],
    origin: "WEB",
    occurredAt: at,
    ...more,
  };
  return { topic: "chat.messages", at, key: conversationId, value };
}

/** A participant event; by default with all access, told of everything. */
export function participant(
  at: number,
  type: ParticipantEventType,
  conversationId: string,
  userId: string,
  more: Partial<ParticipantValue> = {},
): Line {
  const value: ParticipantValue = {
    type,
    conversationId,
    userId,
    access: "READ_WRITE",
    notify: "ALL",
    occurredAt: at,
    ...more,
  };
  return { topic: "chat.participants", at, key: conversationId, value };
}

/** A presence event; by default of session "tab", with nothing on screen. */
export function presence(at: number, type: PresenceEventType, userId: string, more: Partial<PresenceValue> = {}): Line {
  const value: PresenceValue = {
    type,
    userId,
    sessionId: "tab",
    conversationId: null,
    readUntil: null,
    occurredAt: at,
    ...more,
  };
  return { topic: "chat.presence", at, key: userId, value };
}

/** A user's profile, or the tombstone that deletes them. */
export function user(at: number, userId: string, more: Partial<UserValue> | null = {}): Line {
  const emails = [`${userId}@example.org`];
  const value =
    more === null ? null : { userId, name: userId, emails, role: null, timezone: null, occurredAt: at, ...more };
  return { topic: "chat.users", at, key: userId, value };
}

/** A conversation's state, or the tombstone that deletes it. */
export function conversation(at: number, conversationId: string, more: Partial<ConversationValue> | null = {}): Line {
  const value = more === null ? null : { conversationId, subject: null, occurredAt: at, ...more };
  return { topic: "chat.conversations", at, key: conversationId, value };
}

/** A revision of a role's settings, or the tombstone that takes them away. */
export function settings(at: number, role: string, more: Timed<SettingsValue> | null): Line {
  return { topic: "notification.settings", at, key: role, value: more === null ? null : { occurredAt: at, ...more } };
}
