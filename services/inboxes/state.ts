import { type ProfileRow } from "../domain/inbox-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { Millis } from "../platform/contract/time.ts";

/** All that is known of a user, changed in place by the fold alone. How it lies in the store: parts.ts. */
export interface Inbox extends Standing {
  readonly userId: UserId;
  /** null: nobody has said who they are. */
  profile: ProfileRow | null;
  readonly threads: Map<ConversationId, Thread>;
  /** Those with something missed (`isOpen`). */
  readonly open: Set<Thread>;
  /** What is to be saved. */
  readonly unsaved: Unsaved;
}

/** Parts that have changed since they were saved. */
export interface Unsaved {
  standing: boolean;
  profile: boolean;
  /** Each once (`isUnsaved`); those that are forgotten are among them. */
  readonly threads: Thread[];
}

/** Sessions, what was on their screens, and when to look again. */
export interface Standing {
  /** Those that changed last are last. */
  sessions: readonly Session[];
  /** The latest end of the sessions that are forgotten; null: there was none. */
  endedAt: Millis | null;
  /** The latest sign of any session. */
  signAt: Millis | null;
  /** Where messages came while they were on screen, and the `since` of the latest: a lapse may yet make them missed. */
  readonly attended: Map<ConversationId, Millis>;

  /** What follows from the sessions as of `asOf`: whether any is live, since when none is, and what live ones show. */
  isOnline: boolean;
  awaySince: Millis | null;
  screens: readonly ConversationId[];
  /** When the first of those that are live lapses. */
  lapsesAt: Millis | null;

  /** When the user was told of anything, the latest times; and when, having been told, they last read anything. */
  readonly told: Millis[];
  readAt: Millis | null;
  /** No open thread is to be looked at before, if nothing happens; null: none is. */
  next: Millis | null;
  /** No thread may be forgotten before; null: none may be. */
  forgetAt: Millis | null;
  /** The stream's time of the last change of any of this; -1: there was none yet. */
  asOf: Millis;
}

/** A browser tab or device. */
export interface Session {
  readonly sessionId: string;
  /** Its latest, in the order of their times; never none. */
  readonly moments: readonly Moment[];
}

/** A sign (ONLINE, HEARTBEAT) with what it had on screen, or the end (OFFLINE). */
export interface Moment {
  readonly at: Millis;
  /** Signs that followed, none lapsed and all with the same on screen, are remembered as one: the time of the last. */
  readonly until?: Millis;
  readonly isSign: boolean;
  readonly screen: ConversationId | null;
}

/** Reason codes of what is held. */
export type Held = "online" | "timeout" | "settle" | "cooldown" | "quiet_hours" | "daily_cap";

/** A user's side of one conversation. */
export interface Thread {
  readonly conversationId: ConversationId;
  /** Every message up to this time is read. */
  readUntil: Millis;
  /** When the user last read here: the cooldown starts over. */
  readAt: Millis | null;
  /** Missed messages in the order of `since`: the first of all and the latest MAX_LISTED. */
  readonly missed: Missed[];
  /** How many are missed, listed or not. */
  count: number;
  /** Candidates that came while the user attended. */
  readonly attended: Missed[];
  /** The latest messages that a notification was about. */
  readonly told: MessageId[];
  /** When notifications were about it, the latest. */
  readonly toldAt: Millis[];
  /** When something was last heard of it; -1: it is not in the inbox yet. */
  touchedAt: Millis;

  /** While it is open, why the user isn't told yet; null: they are about to be. */
  held: Held | null;
  /** When to look again if nothing happens; null: not before something does. */
  until: Millis | null;

  isOpen: boolean;
  isUnsaved: boolean;
}

/** A message that the user has missed so far: one object for all who have. */
export interface Missed {
  readonly messageId: MessageId;
  readonly senderId: UserId | null;
  readonly sentAt: Millis;
  /** When it became a candidate: sent, or edited to mention the user. */
  readonly since: Millis;
  /** When the log had it. */
  readonly loggedAt: Millis;
  readonly isMentioned: boolean;
}

/** Missed messages that are listed beside the first one (contract: `messageIds`, the latest 500). */
export const MAX_LISTED = 500;
/** Messages that are remembered as told, by conversation. */
export const MAX_TOLD = MAX_LISTED;
/** Times of notifications that are remembered by conversation, for the cooldown; and by user, for the cap too. */
export const MAX_TOLD_TIMES = 64;
export const MAX_TOLD_TIMES_OF_USER = 1_000;

/** A user of whom nothing is known. */
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

/** A conversation of which this user has heard nothing. */
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

/** Notes that a thread is to be saved. */
export const unsave = ({ unsaved }: Inbox, thread: Thread): void => {
  if (thread.isUnsaved) return;
  thread.isUnsaved = true;
  unsaved.threads.push(thread);
};
