import type { ConversationId, MessageId, UserId } from "../core/ids.ts";
import type { User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";

/** All that is known of a user: profile, presence, and what was missed where. */
export interface Inbox {
  readonly userId: UserId;
  /** The latest profile; null where there was none, or it was deleted. */
  readonly profile: User | null;
  /** The latest record of the user is a tombstone. */
  readonly isDeleted: boolean;
  /** Live sessions, by id. */
  readonly sessions: Readonly<Record<string, Session>>;
  /** The latest end of a session; null: since ever. */
  readonly awaySince: Millis | null;
  readonly conversations: Readonly<Record<ConversationId, Thread>>;
}

/** A session that is live: neither offline nor lapsed. */
export interface Session {
  /** Time of its latest ONLINE or HEARTBEAT. */
  readonly sign: Millis;
  /** The conversation that sign had on screen. */
  readonly screen: ConversationId | null;
}

/** A user's side of one conversation. */
export interface Thread {
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
  /** The session that had the conversation on screen. */
  readonly sessionId: string;
}

/** Missed messages that are listed beside the first one (contract: `messageIds`, the latest 500). */
export const MAX_LISTED = 500;
/** Messages that are remembered as told, by conversation. */
export const MAX_TOLD = 100;
/** Conversations that are remembered for what was read in them, though nothing is missed there. */
export const MAX_QUIET_THREADS = 500;

export const newInbox = (userId: UserId): Inbox => ({
  userId,
  profile: null,
  isDeleted: false,
  sessions: {},
  awaySince: null,
  conversations: {},
});

export const emptyThread: Thread = { readUntil: -1, missed: [], count: 0, attended: [], told: [] };

/** An id may be any text, `constructor` too. */
export const threadOf = ({ conversations }: Inbox, conversation: ConversationId): Thread =>
  (Object.hasOwn(conversations, conversation) ? conversations[conversation] : undefined) ?? emptyThread;

export const withThread = (inbox: Inbox, conversation: ConversationId, thread: Thread): Inbox => ({
  ...inbox,
  conversations: { ...inbox.conversations, [conversation]: thread },
});

/** The same inbox with each thread changed. */
export const mapThreads = (inbox: Inbox, change: (thread: Thread) => Thread): Inbox => ({
  ...inbox,
  conversations: Object.fromEntries(
    Object.entries(inbox.conversations).map(([id, thread]) => [id, change(thread)] as const),
  ),
});

/** Forgets the threads that have been quiet the longest, beyond MAX_QUIET_THREADS. */
export const bounded = (inbox: Inbox): Inbox => {
  const threads = Object.entries(inbox.conversations);
  if (threads.length <= MAX_QUIET_THREADS) return inbox;
  const isQuiet = ({ missed, attended }: Thread): boolean => missed.length === 0 && attended.length === 0;
  const quiet = threads.filter(([, thread]) => isQuiet(thread)).toSorted(([, a], [, b]) => b.readUntil - a.readUntil);
  const forgotten = new Set(quiet.slice(MAX_QUIET_THREADS).map(([id]) => id));
  return forgotten.size === 0
    ? inbox
    : { ...inbox, conversations: Object.fromEntries(threads.filter(([id]) => !forgotten.has(id))) };
};
