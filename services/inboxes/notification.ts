import { conversationKey, messageKey } from "../domain/conversation-rows.ts";
import type { Lookup } from "../platform/contract/effect.ts";
import { profileKey } from "../domain/inbox-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { User } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { byTime } from "./missed.ts";
import { type Inbox, MAX_LISTED, type Missed, type Thread } from "./state.ts";

/** Missed messages of one conversation that a snapshot shows (schemas: `ConversationView.messages`). */
export const MAX_SHOWN = 20;
/** Missed messages that a snapshot shows of all conversations together, unless LEAST_SHOWN of each are more. */
const MAX_SHOWN_TOGETHER = 60;
/** Missed messages of each conversation that a snapshot shows at least, however many the conversations. */
const LEAST_SHOWN = 3;
/** Conversations that a snapshot shows: those with the latest messages. */
export const MAX_CONVERSATIONS = 20;

/** A notification before its texts and names are looked up. */
export interface Notice {
  readonly userId: UserId;
  readonly profile: User | null;
  /** The first missed message, which gives the notification its id. */
  readonly first: { readonly conversationId: ConversationId; readonly messageId: MessageId; readonly since: Millis };
  /** null where the notification is about several conversations. */
  readonly conversationId: ConversationId | null;
  readonly messageIds: readonly MessageId[];
  readonly parts: readonly Part[];
  /** Latest end of a session of the recipient; null: there was none, or the recipient is online. */
  readonly awaySince: Millis | null;
  readonly at: Millis;
}

/** One conversation of a notice. */
export interface Part {
  readonly conversationId: ConversationId;
  readonly shown: readonly Missed[];
  /** Number of missed messages that are not shown. */
  readonly omitted: number;
}

/** Makes the notice about every missed message of the threads. @param threads at least one */
export const noticeOf = (
  { userId, profile, awaySince, isOnline }: Inbox,
  threads: readonly Thread[],
  at: Millis,
): Notice => {
  const inOrder = threads.length === 1 ? threads : threads.toSorted(byFirst);
  const all = inOrder.length === 1 ? inOrder[0]?.missed : inOrder.flatMap(({ missed }) => missed).toSorted(byTime);
  const [lead] = inOrder;
  const { messageId = "", since = at } = lead?.missed[0] ?? {};
  return {
    userId,
    profile: profile?.user ?? null,
    first: { conversationId: lead?.conversationId ?? "", messageId, since },
    conversationId: threads.length === 1 ? (lead?.conversationId ?? null) : null,
    messageIds: (all ?? []).slice(-MAX_LISTED).map((message) => message.messageId),
    parts: partsOf(inOrder),
    awaySince: isOnline ? null : awaySince,
    at,
  };
};

/** The conversations that are shown, and the latest missed messages of each. */
const partsOf = (threads: readonly Thread[]): readonly Part[] => {
  const share = Math.max(LEAST_SHOWN, Math.floor(MAX_SHOWN_TOGETHER / Math.min(threads.length, MAX_CONVERSATIONS)));
  const shown = threads.length === 1 ? threads : threads.toSorted(byLast).slice(-MAX_CONVERSATIONS);
  return shown.map(({ conversationId, missed, count }) => {
    const latest = missed.slice(-Math.min(MAX_SHOWN, share));
    return { conversationId, shown: latest, omitted: count - latest.length };
  });
};

const byFirst = (a: Thread, b: Thread): number => firstOf(a) - firstOf(b) || byName(a, b);
const byLast = (a: Thread, b: Thread): number => lastOf(a) - lastOf(b) || byName(a, b);
const firstOf = ({ missed }: Thread): Millis => missed[0]?.since ?? 0;
const lastOf = ({ missed }: Thread): Millis => missed.at(-1)?.since ?? 0;
const byName = (a: Thread, b: Thread): number => (a.conversationId < b.conversationId ? -1 : 1);

/** The rows that a notice's snapshot looks up. */
export const lookupsFor = ({ parts }: Notice): readonly Lookup[] => parts.flatMap(lookupsOfPart);

const lookupsOfPart = ({ conversationId, shown }: Part): readonly Lookup[] => [
  chatRow(conversationId, conversationKey(conversationId)),
  ...shown.map(({ messageId }) => chatRow(conversationId, messageKey(conversationId, messageId))),
  ...[...new Set(shown.map(({ senderId }) => senderId))].flatMap((sender) =>
    sender === null ? [] : [profileOf(sender)],
  ),
];

/** The lookup of a conversation's row. */
export const chatRow = (id: ConversationId, key: string): Lookup => ({
  processor: "conversations",
  home: "conversationStrays",
  id,
  key,
});

/** The lookup of a user's profile. */
export const profileOf = (user: UserId): Lookup => ({
  processor: "inboxes",
  home: "inbox",
  id: user,
  key: profileKey(user),
});
