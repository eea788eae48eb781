import { inboxRowKey, type ProfileRow } from "../core/inbox.ts";
import type { ConversationId, MessageId, UserId } from "../core/ids.ts";
import { HOUR, type Millis } from "../core/time.ts";

/**
 * What is known of a user lies in rows that change for different reasons: the profile, the user's own row with whatever
 * decides when they are told, and what they have missed in each conversation.
 */
export type InboxRow = ProfileRow | UserRow | ThreadRow;

/** A record may be so late, and what it says of the past is still taken into account exactly. */
export const LATENESS: Millis = HOUR;

/** Sessions, what was on their screens, where something is missed. */
export interface UserRow {
  readonly type: "user";
  readonly userId: UserId;

  /** Of the profile: what decides. */
  readonly role: string | null;
  readonly timezone: string | null;
  readonly deletedAt: Millis | null;
  readonly restoredAt: Millis | null;

  /** Those that changed last are last. */
  readonly sessions: readonly Session[];
  /** The latest end of the sessions that are forgotten; null: there was none. */
  readonly endedAt: Millis | null;
  /** The latest sign of any session. */
  readonly signAt: Millis | null;
  /** Where messages came while they were on screen, and the `since` of the latest: a lapse may yet make them missed. */
  readonly attended: Readonly<Record<ConversationId, Millis>>;

  /** What follows from the sessions as of `asOf`: whether any is live, since when none is, and what live ones show. */
  readonly isOnline: boolean;
  readonly awaySince: Millis | null;
  readonly screens: readonly ConversationId[];
  /** When the first of those that are live lapses. */
  readonly lapsesAt: Millis | null;

  readonly open: readonly Open[];
  /** When the user was told of anything, the latest times; and when, having been told, they last read anything. */
  readonly told: readonly Millis[];
  readonly readAt: Millis | null;
  /** The earliest `until` of them. */
  readonly next: Millis | null;
  /** The stream's time of the last change. */
  readonly asOf: Millis;
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
  readonly isSign: boolean;
  readonly screen: ConversationId | null;
}

/** A conversation with something missed. */
export interface Open {
  readonly conversationId: ConversationId;
  /** The `since` of the first and of the latest missed message. */
  readonly first: Millis;
  readonly last: Millis;
  /** When the user was told of it, the latest times. */
  readonly told: readonly Millis[];
  readonly readAt: Millis | null;
  /** Why the user isn't told yet; null: they are about to be. */
  readonly held: Held | null;
  /** When to look again if nothing happens; null: not before something does. */
  readonly until: Millis | null;
}

/** Reason codes of what is held. */
export type Held = "online" | "timeout" | "settle" | "cooldown" | "quiet_hours" | "daily_cap";

/** A user's side of one conversation. */
export interface ThreadRow {
  readonly type: "thread";
  /** Every message up to this time is read. */
  readonly readUntil: Millis;
  /** When the user last read here: the cooldown starts over. */
  readonly readAt: Millis | null;
  /** Missed messages in the order of `since`: the first of all and the latest MAX_LISTED. */
  readonly missed: readonly Missed[];
  /** How many are missed, listed or not. */
  readonly count: number;
  /** Candidates that came while the user attended. */
  readonly attended: readonly Missed[];
  /** The latest messages that a notification was about. */
  readonly told: readonly MessageId[];
  /** When notifications were about it, the latest. */
  readonly toldAt: readonly Millis[];
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
  /** When the log had it. */
  readonly seen: Millis;
  readonly isMentioned: boolean;
}

/** Missed messages that are listed beside the first one (contract: `messageIds`, the latest 500). */
export const MAX_LISTED = 500;
/** Messages that are remembered as told, by conversation. */
export const MAX_TOLD = MAX_LISTED;
/** Times of notifications that are remembered by conversation, for the cooldown; and by user, for the cap too. */
export const MAX_TOLD_TIMES = 64;
export const MAX_TOLD_TIMES_OF_USER = 1_000;

/** The row with what decides of a profile. */
export const withProfile = (row: UserRow, { user, deletedAt, restoredAt }: ProfileRow): UserRow => {
  const [role, timezone] = [user?.role ?? null, user?.timezone ?? null];
  const isSame =
    role === row.role && timezone === row.timezone && deletedAt === row.deletedAt && restoredAt === row.restoredAt;
  return isSame ? row : { ...row, role, timezone, deletedAt, restoredAt };
};

/** A user of whom nothing is known but, it may be, the profile. */
export const newUser = (userId: UserId, profile: ProfileRow | undefined): UserRow =>
  profile === undefined ? blank(userId) : withProfile(blank(userId), profile);

const blank = (userId: UserId): UserRow => ({
  type: "user",
  userId,
  role: null,
  timezone: null,
  deletedAt: null,
  restoredAt: null,
  sessions: [],
  endedAt: null,
  signAt: null,
  attended: {},
  isOnline: false,
  awaySince: null,
  screens: [],
  lapsesAt: null,
  open: [],
  told: [],
  readAt: null,
  next: null,
  asOf: 0,
});

export const newThread: ThreadRow = {
  type: "thread",
  readUntil: -1,
  readAt: null,
  missed: [],
  count: 0,
  attended: [],
  told: [],
  toldAt: [],
  touchedAt: 0,
};

export const userKey = (user: UserId): string => inboxRowKey("o", user);
export const threadKey = (user: UserId, conversation: ConversationId): string => inboxRowKey("t", user, conversation);
