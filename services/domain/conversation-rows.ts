/**
 * The rows of `conversations`: its state, written by its rule alone, and what other processors look up for their
 * snapshots.
 */
import type { ConversationId, MessageId, UserId } from "./ids.ts";
import type { Access, Attachment, MessageKind, Notify } from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** How somebody takes part. */
export interface Participation {
  readonly access: Access;
  readonly notify: Notify;
  /** When it became so. */
  readonly since: Millis;
}

export interface Participant extends Participation {
  readonly userId: UserId;
}

/** A conversation: what it is called and who takes part. */
export interface ConversationRow {
  readonly type: "conversation";
  readonly conversationId: ConversationId;
  readonly subject: string | null;
  readonly photoUrl: string | null;
  readonly custom: Readonly<Record<string, string>>;
  /** The time of the latest description. */
  readonly describedAt: Millis | null;
  /** When it was last deleted, and since when it is back. */
  readonly deletedAt: Millis | null;
  readonly restoredAt: Millis | null;
  readonly participants: readonly Participant[];
  /** When those left who did, the latest: what is said of them late, or again, doesn't bring them back. */
  readonly departed: Readonly<Record<UserId, Millis>>;
  /** The latest changes of them, in the order of their times: a late record is taken as of its own. */
  readonly changes: readonly Change[];
  /** The latest system messages, oldest first: they are shown among the missed ones. */
  readonly systemMessages: readonly MessageRow[];
}

/** How somebody takes part from a time on, and how before; null: not. */
export interface Change {
  readonly userId: UserId;
  readonly at: Millis;
  readonly before: Participation | null;
  readonly now: Participation | null;
}

/** The latest messages of a conversation: those that a late record may still concern. */
export interface RecentRow {
  readonly type: "recent";
  /** With the time of the latest that was said of each. */
  readonly messages: readonly { readonly messageId: MessageId; readonly at: Millis }[];
}

/** A message as it is now, stored once for all its recipients. */
export interface MessageRow {
  readonly type: "message";
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  /** false: only edits or a deletion came so far; the rest is blank. */
  readonly isSent: boolean;
  readonly kind: MessageKind;
  readonly isImport: boolean;
  readonly senderId: UserId | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** Whom it mentions now. */
  readonly mentions: readonly UserId[];
  readonly referencedMessageId: MessageId | null;
  /** When it was sent. */
  readonly at: Millis;
  /** When the log had its latest record: as long after that it is kept. */
  readonly loggedAt: Millis;
  /** Whom it mentioned when: as sent, then by each edit, in the order of their times. */
  readonly versions: readonly Version[];
  readonly deletedAt: Millis | null;
  readonly isDeleted: boolean;
}

/** What an edit made of a message, or the sending (`isEdit` false). */
export interface Version {
  readonly at: Millis;
  readonly isEdit: boolean;
  readonly mentions: readonly UserId[];
}

export type ChatRow = ConversationRow | RecentRow | MessageRow;

/** A conversation of which nothing has been heard: one may be talked in before it is described. */
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

const SEPARATOR = "\u001f"; // unit separator: ids don't hold it, and if one does the row is still its own

/** Row key of a conversation. */
export const conversationKey = (conversation: ConversationId): string => `c${SEPARATOR}${conversation}`;

/** Row key of a conversation's latest messages. */
export const recentKey = (conversation: ConversationId): string => `r${SEPARATOR}${conversation}`;

/** Row key of a message. */
export const messageKey = (conversation: ConversationId, message: MessageId): string =>
  `m${SEPARATOR}${conversation.length}${SEPARATOR}${conversation}${SEPARATOR}${message}`;
