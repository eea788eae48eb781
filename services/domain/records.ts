// Generated from schemas/ by `npm run generate`. Edit the schemas instead.

import type { DeadLetter, Stray } from "../platform/contract/records.ts";

import type { Millis } from "../platform/contract/time.ts";

import type { ConversationId, MessageId, NotificationId, UserId } from "./ids.ts";

/** Topic chat.conversations, compacted, key = conversationId. The latest state of a conversation; a tombstone deletes it. */
export interface Conversation {
  readonly conversationId: ConversationId;
  readonly subject: null | string;
  readonly photoUrl: null | string;
  readonly custom: Readonly<Record<string, string>>;
  readonly occurredAt: Millis;
}

export type InboxEntryType = "CANDIDATE" | "OWN" | "EDITED" | "WITHDRAWN" | "CLOSED" | "MENTIONS_ONLY";

export interface InboxEntry {
  /** CANDIDATE: the recipients may have missed this message. OWN: the recipient wrote this message, and so has read every earlier one. EDITED: the message was edited, and mentions the recipients in `mentioned` now. WITHDRAWN: the message is no longer for these recipients, for the reason given. CLOSED: nothing in the conversation is for them any more, for the reason given. MENTIONS_ONLY: from now on only messages that mention them are for them. */
  readonly type: InboxEntryType;
  readonly conversationId: ConversationId;
  readonly messageId: null | MessageId;
  readonly senderId: null | UserId;
  /** CANDIDATE, OWN: the message's time. */
  readonly sentAt: Millis;
  /** WITHDRAWN, CLOSED: the reason code. CANDIDATE: `anew` if this entry replaces earlier candidates of the same message. */
  readonly reason: null | string;
  readonly recipients: readonly UserId[];
  /** Recipients whom the message mentions. */
  readonly mentioned: readonly UserId[];
  /** Time of the event that the entry follows from. */
  readonly occurredAt: Millis;
  /** CANDIDATE: the time since which the message counts as missed, if that is not occurredAt. A late event can tell of a candidate of another time. */
  readonly since: null | Millis;
  /** Kafka timestamp of the record that the entry follows from: occurredAt or later. Entries are folded in its order. */
  readonly loggedAt: Millis;
}

/** Topic whileaway.inbox, no key: the producer names the partition. Changes in conversations that concern the recipients on one partition. A record has ids only, and entries about many messages. */
export interface InboxRecord {
  readonly entries: readonly InboxEntry[];
}

export type Verdict = "CANDIDATE" | "REJECTED" | "HELD" | "DROPPED" | "TRIGGERED" | "SUPPRESSED";

export interface LedgerEntry {
  /** CANDIDATE: the message is missed for now. REJECTED: it is not, for the reason given. HELD: the users are not told yet. DROPPED: the message is no longer missed. TRIGGERED: the users are told. SUPPRESSED: no mail is sent. */
  readonly verdict: Verdict;
  /** The reason code; null where there is none to give. */
  readonly reason: null | string;
  /** Users whom the verdict is about. */
  readonly users: readonly string[];
  readonly conversationId: null | ConversationId;
  /** Empty: the verdict is about all messages that the users have missed in the conversation. */
  readonly messageIds: readonly MessageId[];
  readonly notificationId: null | NotificationId;
  /** HELD: when that reason ends by time alone. */
  readonly until: null | Millis;
  /** Facts from which the verdict was decided, by name. */
  readonly facts: Readonly<Record<string, string>>;
  /** The stream's time of the verdict. */
  readonly occurredAt: Millis;
}

/** Topic whileaway.ledger, no key: on the partition of its users. Verdicts, with the reason why somebody was told or was not. */
export interface LedgerRecord {
  readonly entries: readonly LedgerEntry[];
}

export type MessageEventType = "SENT" | "EDITED" | "DELETED";

export type MessageKind = "USER" | "SYSTEM";

export interface Attachment {
  readonly name: string;
  readonly url: string;
  readonly mimeType: string;
  /** bytes */
  readonly size: number;
}

export type MessageOrigin = "WEB" | "REST" | "EMAIL" | "IMPORT";

/** Topic chat.messages, key = conversationId (UTF-8). One record for each thing that happens to a message. */
export interface MessageEvent {
  readonly type: MessageEventType;
  readonly conversationId: ConversationId;
  /** Unique within the conversation; EDITED and DELETED repeat the id of SENT. */
  readonly messageId: MessageId;
  /** SYSTEM messages never trigger a notification; they may be shown in one. */
  readonly kind: MessageKind;
  readonly senderId: null | UserId;
  /** Plain text; the new text for EDITED; empty for DELETED. */
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** User ids; after EDITED, all that are mentioned now. */
  readonly mentions: readonly UserId[];
  /** The message this one answers. */
  readonly referencedMessageId: null | MessageId;
  /** IMPORT never triggers a notification. */
  readonly origin: MessageOrigin;
  readonly custom: Readonly<Record<string, string>>;
  readonly occurredAt: Millis;
}

export type NotificationEventType =
  | "TRIGGERED"
  | "SUPPRESSED"
  | "SENT"
  | "DELIVERED"
  | "BOUNCED"
  | "COMPLAINED"
  | "OPENED"
  | "LINK_CLICKED"
  | "UNSUBSCRIBED"
  | "RESUBSCRIBED"
  | "REPLIED";

export type Channel = "EMAIL";

export type Agent = "PERSON" | "PROXY" | "SCANNER";

export interface Person {
  readonly userId: UserId;
  readonly name: string;
  readonly emails: readonly string[];
  readonly role: null | string;
  readonly locale: null | string;
  readonly timezone: null | string;
  readonly photoUrl: null | string;
  readonly custom: Readonly<Record<string, string>>;
}

export interface AttachmentView {
  readonly name: string;
  readonly url: string;
  readonly mimeType: string;
  readonly size: number;
}

export interface MessageView {
  readonly messageId: MessageId;
  readonly kind: string;
  /** emails left empty */
  readonly sender: null | Person;
  readonly text: string;
  readonly attachments: readonly AttachmentView[];
  /** It mentions the recipient. */
  readonly mentioned: boolean;
  readonly referencedMessageId: null | MessageId;
  readonly occurredAt: Millis;
}

export interface ConversationView {
  readonly conversationId: ConversationId;
  readonly subject: null | string;
  readonly photoUrl: null | string;
  readonly custom: Readonly<Record<string, string>>;
  /** READ_WRITE or READ: whether a reply by mail will be taken. */
  readonly access: string;
  /** The latest 20 of the missed ones, oldest first, and system messages among them. */
  readonly messages: readonly MessageView[];
  /** How many more were missed than are shown. */
  readonly omitted: number;
}

export interface Snapshot {
  readonly recipient: Person;
  /** One, or several where the recipient's role groups by recipient. */
  readonly conversations: readonly ConversationView[];
}

/** Topic notification.events, key = userId of the recipient. Everything that happens to a notification, in order per recipient. */
export interface NotificationEvent {
  /** Derived from what the event says, so that an event published again after a crash carries the same id. */
  readonly id: string;
  readonly type: NotificationEventType;
  /** Given by TRIGGERED; every later event of it repeats it. */
  readonly notificationId: NotificationId;
  readonly userId: UserId;
  /** null where the notification is about several. */
  readonly conversationId: null | ConversationId;
  /** TRIGGERED: the missed messages, oldest first, the latest 500 at most. */
  readonly messageIds: readonly MessageId[];
  readonly channel: Channel;
  /** SENT and later: the address. SENT comes once for each address. */
  readonly email: null | string;
  /** SUPPRESSED: why not. BOUNCED: hard, soft or block. */
  readonly reason: null | string;
  /** BOUNCED: RFC 3463 enhanced status code. */
  readonly statusCode: null | string;
  readonly diagnostic: null | string;
  /** LINK_CLICKED: the original address. */
  readonly url: null | string;
  /** OPENED, LINK_CLICKED: who did it, as far as can be told. */
  readonly agent: null | Agent;
  /** TRIGGERED: what the mail and the webhook show, as of that moment. */
  readonly snapshot: null | Snapshot;
  readonly occurredAt: Millis;
}

export type ParticipantEventType = "JOINED" | "UPDATED" | "LEFT";

export type Access = "READ_WRITE" | "READ" | "NONE";

export type Notify = "ALL" | "MENTIONS_ONLY" | "NONE";

/** Topic chat.participants, key = conversationId. Who takes part in a conversation, with what access and what notifications. */
export interface ParticipantEvent {
  readonly type: ParticipantEventType;
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly access: Access;
  readonly notify: Notify;
  readonly occurredAt: Millis;
}

/** Topic notification.preferences, compacted, key = userId. A person's whole choice about all their mail; a tombstone takes the choice back. */
export interface Preference {
  readonly userId: UserId;
  /** Addresses that get no notification any more. */
  readonly unsubscribed: readonly string[];
  readonly occurredAt: Millis;
}

export type PresenceEventType = "ONLINE" | "HEARTBEAT" | "OFFLINE" | "READ" | "MARKED_UNREAD";

/** Topic chat.presence, key = userId. What a user's sessions do, and how far the user has read. */
export interface PresenceEvent {
  readonly type: PresenceEventType;
  readonly userId: UserId;
  /** One browser tab or device; a user is online while any session is. */
  readonly sessionId: string;
  /** ONLINE, HEARTBEAT: the conversation on screen and in focus, if any. READ, MARKED_UNREAD: the one that was read. */
  readonly conversationId: null | ConversationId;
  /** READ: every message up to this time is read. */
  readonly readUntil: null | Millis;
  readonly occurredAt: Millis;
}

export interface Cooldown {
  /** 0–86400 */
  readonly first: number;
  /** 1–10 */
  readonly factor: number;
  /** 0–604800 */
  readonly max: number;
}

export type WhileOnline = "hold" | "notify";

export type Group = "conversation" | "recipient";

export interface QuietHours {
  /** HH:MM, local time */
  readonly from: string;
  /** HH:MM; before from where the hours wrap midnight */
  readonly to: string;
  /** IANA name, for recipients without one of their own */
  readonly timezone: null | string;
}

/** Topic notification.settings, compacted, key = role. Settings by which the users of a role are told; a tombstone takes the role's own settings away. Times are in seconds. */
export interface RoleSettings {
  /** default holds for users without a role, and for roles without settings. */
  readonly role: string;
  /** Counts the changes of this role's settings. */
  readonly version: number;
  /** 0–900: how long someone must be away, and a message missed. */
  readonly timeout: number;
  /** 0–60: quiet after the latest message. */
  readonly settle: number;
  /** Least time between notifications about one conversation, growing until the recipient is back. */
  readonly cooldown: Cooldown;
  readonly whileOnline: WhileOnline;
  readonly group: Group;
  readonly quietHours: null | QuietHours;
  /** 1–1000 notifications since the recipient's local midnight */
  readonly dailyCap: null | number;
  readonly emailEnabled: boolean;
  readonly occurredAt: Millis;
}

/** Topic chat.users, compacted, key = userId. The latest profile of a user; a tombstone deletes the user. */
export interface User {
  readonly userId: UserId;
  readonly name: string;
  /** All are notified; null or empty turns email off. */
  readonly emails: null | readonly string[];
  /** Selects the email settings and templates. */
  readonly role: null | string;
  /** BCP 47 */
  readonly locale: null | string;
  /** IANA name */
  readonly timezone: null | string;
  readonly photoUrl: null | string;
  readonly custom: Readonly<Record<string, string>>;
  readonly occurredAt: Millis;
}

/** Types of the values of each topic. */
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
  readonly conversationStrays: Stray;
  readonly inboxStrays: Stray;
  readonly ledger: LedgerRecord;
  readonly deadLetters: DeadLetter;
}
