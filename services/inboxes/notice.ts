import { conversationKey, messageKey } from "../core/chat.ts";
import type { Lookup } from "../core/effect.ts";
import { profileKey } from "../core/inbox.ts";
import { type ConversationId, type MessageId, type NotificationId, notificationId, type UserId } from "../core/ids.ts";
import type { User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { byTime } from "./missed.ts";
import { MAX_LISTED, type Missed } from "./state.ts";

/** Missed messages of a conversation that a snapshot shows (contract: ConversationView.messages). */
export const MAX_SHOWN = 20;
/** Of all conversations together, but for LEAST_SHOWN of each. */
const MAX_SHOWN_TOGETHER = 60;
const LEAST_SHOWN = 3;
/** Conversations that a snapshot shows: the latest. */
export const MAX_CONVERSATIONS = 20;

/** What a notification is about, before the texts and names are looked up. */
export interface Notice {
  readonly notificationId: NotificationId;
  readonly userId: UserId;
  readonly profile: User | null;
  /** null where it is about several. */
  readonly conversationId: ConversationId | null;
  readonly messageIds: readonly MessageId[];
  readonly parts: readonly Part[];
  /** Since when the first of all is missed. */
  readonly since: Millis;
  readonly at: Millis;
}

/** One conversation of a notice. */
export interface Part {
  readonly conversationId: ConversationId;
  readonly shown: readonly Missed[];
  /** How many more are missed there. */
  readonly omitted: number;
}

/** A notification about all that is missed in the conversations, with all that its snapshot is made from. */
export const noticeOf = (user: Draft, conversations: readonly ConversationId[]): Notice => {
  const parts = conversations
    .toSorted()
    .map((conversationId) => ({ conversationId, thread: user.thread(conversationId) }));
  const all = parts.flatMap(({ thread }) => thread.missed).toSorted(byTime);
  const lead = parts.toSorted((a, b) => (a.thread.missed[0]?.since ?? 0) - (b.thread.missed[0]?.since ?? 0))[0];
  const first = lead?.thread.missed[0];
  const since = first?.since ?? user.now;
  const share = Math.max(LEAST_SHOWN, Math.floor(MAX_SHOWN_TOGETHER / Math.min(parts.length, MAX_CONVERSATIONS)));
  return {
    notificationId: notificationId(user.userId, lead?.conversationId ?? "", first?.messageId ?? "", since),
    userId: user.userId,
    profile: user.profile?.user ?? null,
    conversationId: conversations.length === 1 ? (conversations[0] ?? null) : null,
    messageIds: all.slice(-MAX_LISTED).map(({ messageId }) => messageId),
    parts: parts
      .toSorted((a, b) => (a.thread.missed.at(-1)?.since ?? 0) - (b.thread.missed.at(-1)?.since ?? 0))
      .slice(-MAX_CONVERSATIONS)
      .map(({ conversationId, thread }) => {
        const shown = thread.missed.slice(-MAX_LISTED).slice(-Math.min(MAX_SHOWN, share));
        return { conversationId, shown, omitted: thread.count - shown.length };
      }),
    since,
    at: user.now,
  };
};

/** The rows that a notice's snapshot looks up. */
export const lookupsFor = ({ parts }: Notice): readonly Lookup[] => parts.flatMap(lookupsOfPart);

const lookupsOfPart = ({ conversationId, shown }: Part): readonly Lookup[] => [
  chatRow(conversationId, conversationKey(conversationId)),
  ...shown.map(({ messageId }) => chatRow(conversationId, messageKey(conversationId, messageId))),
  ...[...new Set(shown.map(({ senderId }) => senderId))].flatMap((sender) =>
    sender === null ? [] : [profileOf(sender)],
  ),
];

/** Where a row of a conversation is looked up. */
export const chatRow = (id: ConversationId, key: string): Lookup => ({
  processor: "conversations",
  home: "conversationStrays",
  id,
  key,
});

/** Where a person's profile is looked up. */
export const profileOf = (user: UserId): Lookup => ({
  processor: "inboxes",
  home: "inbox",
  id: user,
  key: profileKey(user),
});
