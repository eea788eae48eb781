/**
 * The rows of `conversations`: its state, written by its rule alone, and what other processors look up for their
 * snapshots.
 */
import type { ConversationId, MessageId, UserId } from "./ids.ts";
import type { Access, Attachment, MessageKind, Notify } from "./records.ts";
import type { Millis } from "./time.ts";

/** How a participant takes part. */
export interface Participation {
  readonly access: Access;
  readonly notify: Notify;
}

/** A conversation: what it is called and who takes part. */
export interface ConversationRow {
  readonly type: "conversation";
  readonly conversationId: ConversationId;
  readonly subject: string | null;
  readonly photoUrl: string | null;
  readonly custom: Readonly<Record<string, string>>;
  /** Its latest record is a tombstone. */
  readonly isDeleted: boolean;
  readonly participants: Readonly<Record<UserId, Participation>>;
  /** The latest system messages, oldest first: they are shown among the missed ones. */
  readonly systemMessages: readonly MessageRow[];
}

/** A message as it is now, stored once for all its recipients. */
export interface MessageRow {
  readonly type: "message";
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  readonly kind: MessageKind;
  readonly isImport: boolean;
  readonly senderId: UserId | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly mentions: readonly UserId[];
  readonly referencedMessageId: MessageId | null;
  /** When it was sent. */
  readonly at: Millis;
  /** When the log had its latest record: as long after that it is kept. */
  readonly loggedAt: Millis;
  /** Times of the edits taken, so that none is taken twice. */
  readonly edits: readonly Millis[];
  readonly isDeleted: boolean;
}

export type ChatRow = ConversationRow | MessageRow;

/** A conversation of which nothing has been heard: one may be talked in before it is described. */
export const newConversation = (conversationId: ConversationId): ConversationRow => ({
  type: "conversation",
  conversationId,
  subject: null,
  photoUrl: null,
  custom: {},
  isDeleted: false,
  participants: {},
  systemMessages: [],
});

const SEPARATOR = "\u001f"; // unit separator: ids don't hold it, and if one does the row is still its own

/** Row key of a conversation. */
export const conversationKey = (conversation: ConversationId): string => `c${SEPARATOR}${conversation}`;

/** Row key of a message. */
export const messageKey = (conversation: ConversationId, message: MessageId): string =>
  `m${SEPARATOR}${conversation.length}${SEPARATOR}${conversation}${SEPARATOR}${message}`;
