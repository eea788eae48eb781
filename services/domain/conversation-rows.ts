/**
 * The rows of `conversations`. Only its rule writes them; other processors look them up for their snapshots.
 */
import type { Deletion } from "./deletion.ts";
import type { ConversationId, MessageId, UserId } from "./ids.ts";
import type { Access, Attachment, MessageKind, Notify } from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** A user's part in a conversation. */
export interface Participation {
  readonly access: Access;
  readonly notify: Notify;
  /** Time from which it holds. */
  readonly since: Millis;
}

export interface Participant extends Participation {
  readonly userId: UserId;
}

/** A conversation with its description and its participants. */
export interface ConversationRow extends Deletion {
  readonly type: "conversation";
  readonly conversationId: ConversationId;
  readonly subject: string | null;
  readonly photoUrl: string | null;
  readonly custom: Readonly<Record<string, string>>;
  /** Time of the latest description. */
  readonly describedAt: Millis | null;
  readonly participants: readonly Participant[];
  /**
   * Times at which former participants left, the latest of them: a late or repeated record does not bring them back.
   */
  readonly departed: Readonly<Record<UserId, Millis>>;
  /**
   * Latest changes of participation in the order of their times, so that a late record is folded as of its own time.
   */
  readonly changes: readonly Change[];
  /** Latest system messages, oldest first. They are shown among the missed messages. */
  readonly systemMessages: readonly MessageRow[];
}

/** A change of a user's participation. null: the user takes no part. */
export interface Change {
  readonly userId: UserId;
  readonly at: Millis;
  readonly before: Participation | null;
  readonly now: Participation | null;
}

/** The latest messages of a conversation, which a late record may still concern. */
export interface RecentRow {
  readonly type: "recent";
  /** Each with its latest own time: of its sending, an edit or its deletion. */
  readonly messages: readonly { readonly messageId: MessageId; readonly at: Millis }[];
}

/** A message in its latest version, stored once for all recipients. */
export interface MessageRow {
  readonly type: "message";
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  /** false: only edits or a deletion have come so far, and the other fields are empty. */
  readonly isSent: boolean;
  readonly kind: MessageKind;
  readonly isImport: boolean;
  readonly senderId: UserId | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Users whom the latest version mentions. */
  readonly mentions: readonly UserId[];
  readonly referencedMessageId: MessageId | null;
  /** Time of sending. */
  readonly at: Millis;
  /** Kafka timestamp of its latest record: its retention counts from there. */
  readonly loggedAt: Millis;
  /** Mentions as sent and by each edit, in the order of their times. */
  readonly versions: readonly Version[];
  readonly deletedAt: Millis | null;
  readonly isDeleted: boolean;
}

/** The mentions of a message by its sending (`isEdit` false) or by an edit. */
export interface Version {
  readonly at: Millis;
  readonly isEdit: boolean;
  readonly mentions: readonly UserId[];
}

export type ChatRow = ConversationRow | RecentRow | MessageRow;

/** An empty conversation: messages may come before its description. */
export const newConversation = (conversationId: ConversationId): ConversationRow => ({
  type: "conversation",
  conversationId,
  subject: null,
  photoUrl: null,
  custom: {},
  describedAt: null,
  deletedAt: null,
  restoredAt: null,
  participants: [],
  departed: {},
  changes: [],
  systemMessages: [],
});

export const nothingRecent: RecentRow = { type: "recent", messages: [] };

const SEPARATOR = "\u001f"; // unit separator: keys differ even if an id contains it

/** Row key of a conversation. */
export const conversationKey = (conversation: ConversationId): string => `c${SEPARATOR}${conversation}`;

/** Row key of a conversation's recent messages. */
export const recentKey = (conversation: ConversationId): string => `r${SEPARATOR}${conversation}`;

/** Row key of a message. */
export const messageKey = (conversation: ConversationId, message: MessageId): string =>
  `m${SEPARATOR}${conversation.length}${SEPARATOR}${conversation}${SEPARATOR}${message}`;
