import { inboxRowKey } from "../core/inbox.ts";
import type { ConversationId, MessageId, UserId } from "../core/ids.ts";
import type { ProfileRow } from "../core/inbox.ts";
import type { Millis } from "../core/time.ts";

/**
 * What is known of a user lies in rows that change for different reasons, so that a sign of life writes a few bytes
 * however much is missed: the profile, the sessions, which conversations have something missed, and each of those.
 */
export type InboxRow = ProfileRow | PresenceRow | PendingRow | ThreadRow;

/** Sessions and what was on their screens. */
export interface PresenceRow {
  readonly type: "presence";
  /** Live sessions, by id: neither offline nor lapsed. */
  readonly sessions: Readonly<Record<string, Session>>;
  /** The latest end of a session; null: since ever. */
  readonly awaySince: Millis | null;
}

export interface Session {
  /** Time of its latest ONLINE or HEARTBEAT. */
  readonly sign: Millis;
  /** The conversation that sign had on screen. */
  readonly screen: ConversationId | null;
  /** Conversations with messages that came on its screen since; its lapse may yet make them missed. */
  readonly attended: readonly ConversationId[];
}

/** Where something is missed, and whether the user is there: all that decides when they are told. */
export interface PendingRow {
  readonly type: "pending";
  readonly userId: UserId;
  readonly isOnline: boolean;
  readonly awaySince: Millis | null;
  /** The `since` of the first missed message, by conversation. */
  readonly firsts: Readonly<Record<ConversationId, Millis>>;
  /** The least of them. */
  readonly earliest: Millis | null;
}

/** A user's side of one conversation. */
export interface ThreadRow {
  readonly type: "thread";
  /** Every message up to this time is read. */
  readonly readUntil: Millis;
  /** Missed messages, oldest first: the first of all and the latest MAX_LISTED. */
  readonly missed: readonly Missed[];
  /** How many are missed, listed or not. */
  readonly count: number;
  /** Candidates that came while the user attended; a session that lapses may yet give them back. */
  readonly attended: readonly Attended[];
  /** The latest messages that a notification was about. */
  readonly told: readonly MessageId[];
  /** When something was last heard of it. */
  readonly touchedAt: Millis;
}

/** A message that the user has missed so far. */
export interface Missed {
  readonly messageId: MessageId;
  readonly senderId: UserId | null;
  readonly sentAt: Millis;
  /** When it became a candidate: sent, or edited to mention the user. */
  readonly since: Millis;
  readonly isMentioned: boolean;
}

export interface Attended extends Missed {
  /** The sessions that had the conversation on screen: seen if one of them goes on, missed when all have lapsed. */
  readonly sessionIds: readonly string[];
}

/** Missed messages that are listed beside the first one (contract: `messageIds`, the latest 500). */
export const MAX_LISTED = 500;
/** Messages that are remembered as told, by conversation. */
export const MAX_TOLD = MAX_LISTED;

export const noPresence: PresenceRow = { type: "presence", sessions: {}, awaySince: null };

export const nothingPending = (userId: UserId): PendingRow => ({
  type: "pending",
  userId,
  isOnline: false,
  awaySince: null,
  firsts: {},
  earliest: null,
});

export const newThread: ThreadRow = {
  type: "thread",
  readUntil: -1,
  missed: [],
  count: 0,
  attended: [],
  told: [],
  touchedAt: 0,
};

export const presenceKey = (user: UserId): string => inboxRowKey("p", user);
export const pendingKey = (user: UserId): string => inboxRowKey("o", user);
export const threadKey = (user: UserId, conversation: ConversationId): string => inboxRowKey("t", user, conversation);
