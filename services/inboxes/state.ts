import { type ProfileRow } from "../domain/inbox-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { Millis } from "../platform/contract/time.ts";

/** The state of one user. Only the fold changes it, in place. `saved-parts.ts` lays it out in the store. */
export interface Inbox extends Standing {
  readonly userId: UserId;
  /** null: no record of the user has come yet. */
  profile: ProfileRow | null;
  readonly threads: Map<ConversationId, Thread>;
  /** Threads with missed messages (`isOpen`). */
  readonly open: Set<Thread>;
  /** Parts that must be saved. */
  readonly unsaved: Unsaved;
}

/** Parts that have changed since the last save. */
export interface Unsaved {
  standing: boolean;
  profile: boolean;
  /** Each thread is listed once (`isUnsaved`), forgotten ones too. */
  readonly threads: Thread[];
}

/** The state of a user beside profile and threads: sessions, their screens, notification times and timers. */
export interface Standing {
  /** In the order of their latest change. */
  sessions: readonly Session[];
  /** Latest end of a forgotten session; null: there was none. */
  endedAt: Millis | null;
  /** Time of the latest sign of any session. */
  signAt: Millis | null;
  /** Conversations with attended messages, and the `since` of the latest: a lapse may yet make such messages missed. */
  readonly attended: Map<ConversationId, Millis>;

  /** Derived from the sessions as of `asOf`: true while a session is live. */
  isOnline: boolean;
  /** Latest end of a session; null: there was none. */
  awaySince: Millis | null;
  /** Conversations on the screens of live sessions. */
  screens: readonly ConversationId[];
  /** Time at which the first live session lapses. */
  lapsesAt: Millis | null;

  /** Times of the latest notifications to the user. */
  readonly told: Millis[];
  /** Time of the user's latest read after a first notification. */
  readAt: Millis | null;
  /** Time before which time alone ends no hold of an open thread; null: time alone ends none. */
  next: Millis | null;
  /** Time before which no thread may be forgotten; null: there is none to forget. */
  forgetAt: Millis | null;
  /** The stream's time of the latest change to the standing; -1: there was none yet. */
  asOf: Millis;
}

/** A browser tab or device. */
export interface Session {
  readonly sessionId: string;
  /** The latest moments in the order of their times, never none. */
  readonly moments: readonly Moment[];
}

/** A sign (ONLINE, HEARTBEAT) with the conversation on screen, or an end (OFFLINE). */
export interface Moment {
  readonly at: Millis;
  /** Time of the last of several signs that are remembered as one: none lapsed, and all had the same screen. */
  readonly until?: Millis;
  readonly isSign: boolean;
  readonly screen: ConversationId | null;
}

/** Reason codes of holds. */
export type Held = "online" | "timeout" | "settle" | "cooldown" | "quiet_hours" | "daily_cap";

/** A user's side of one conversation. */
export interface Thread {
  readonly conversationId: ConversationId;
  /** Every message up to this time is read. */
  readUntil: Millis;
  /** Time of the user's latest read in the conversation: the cooldown starts over. */
  readAt: Millis | null;
  /** Missed messages in the order of `since`: the first of all and the latest MAX_LISTED. */
  readonly missed: Missed[];
  /** Number of missed messages, listed or not. */
  count: number;
  /** Candidates that came while the user attended the conversation. */
  readonly attended: Missed[];
  /** Latest messages that a notification was about. */
  readonly told: MessageId[];
  /** Times of the latest notifications about the conversation. */
  readonly toldAt: Millis[];
  /** The stream's time of the latest change to the thread; -1: it is not in the inbox yet. */
  touchedAt: Millis;

  /** Reason of the hold of an open thread; null: nothing holds it, and a notification is due. */
  held: Held | null;
  /** Time at which the hold may end by time alone; null: only an event ends it. */
  until: Millis | null;

  isOpen: boolean;
  isUnsaved: boolean;
}

/** A missed message: one object, which is shared by all recipients who missed it. */
export interface Missed {
  readonly messageId: MessageId;
  readonly senderId: UserId | null;
  readonly sentAt: Millis;
  /** Time at which the message became a candidate: it was sent, or edited to mention the user. */
  readonly since: Millis;
  /** Kafka timestamp of the record that made it a candidate. */
  readonly loggedAt: Millis;
  readonly isMentioned: boolean;
}

/** Missed messages that a thread lists beside the first (schemas: `messageIds`, the latest 500). */
export const MAX_LISTED = 500;
/** Messages of a conversation that are remembered as told. */
export const MAX_TOLD = MAX_LISTED;
/** Notification times that are remembered of a conversation, for the cooldown. */
export const MAX_TOLD_TIMES = 64;
/** Notification times that are remembered of a user, for the cooldown and the daily cap. */
export const MAX_TOLD_TIMES_OF_USER = 1_000;

/** An empty inbox. */
export const newInbox = (userId: UserId): Inbox => ({
  userId,
  profile: null,
  threads: new Map(),
  open: new Set(),
  unsaved: { standing: false, profile: false, threads: [] },
  sessions: [],
  endedAt: null,
  signAt: null,
  attended: new Map(),
  isOnline: false,
  awaySince: null,
  screens: [],
  lapsesAt: null,
  told: [],
  readAt: null,
  next: null,
  forgetAt: null,
  asOf: -1,
});

/** An empty thread. */
export const newThread = (conversationId: ConversationId): Thread => ({
  conversationId,
  readUntil: -1,
  readAt: null,
  missed: [],
  count: 0,
  attended: [],
  told: [],
  toldAt: [],
  touchedAt: -1,
  held: null,
  until: null,
  isOpen: false,
  isUnsaved: false,
});

/** Lists a thread to be saved. */
export const unsave = ({ unsaved }: Inbox, thread: Thread): void => {
  if (thread.isUnsaved) return;
  thread.isUnsaved = true;
  unsaved.threads.push(thread);
};
