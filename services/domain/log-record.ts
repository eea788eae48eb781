import type {
  Conversation,
  DeadLetter,
  InboxRecord,
  LedgerRecord,
  MessageEvent,
  NotificationEvent,
  ParticipantEvent,
  Preference,
  PresenceEvent,
  RoleSettings,
  Stray,
  User,
} from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { TopicId } from "./topics.ts";

/** What each topic's records say. */
export interface Values {
  readonly messages: MessageEvent;
  readonly participants: ParticipantEvent;
  readonly conversations: Conversation;
  readonly presence: PresenceEvent;
  readonly users: User;
  readonly notifications: NotificationEvent;
  readonly settings: RoleSettings;
  readonly preferences: Preference;
  readonly inbox: InboxRecord;
  readonly ledger: LedgerRecord;
  readonly conversationStrays: Stray;
  readonly inboxStrays: Stray;
  readonly deadLetters: DeadLetter;
}

/** A decoded record of one topic. */
export interface RecordOf<T extends TopicId> {
  readonly topic: T;
  /** The record's key in UTF-8; "" where the topic has none. */
  readonly key: string;
  /** null is a tombstone. */
  readonly value: Values[T] | null;
  /** Its own time, `occurredAt`, but never later than the record's Kafka timestamp; a tombstone's is that timestamp. */
  readonly at: Millis;
  /** The log's own timestamp of the record. */
  readonly loggedAt: Millis;
}

/** A decoded record of any topic: switch on `topic`. */
export type LogRecord = { readonly [T in TopicId]: RecordOf<T> }[TopicId];
