import { type ChatRow, conversationKey, type ConversationRow, messageKey, type MessageRow } from "../core/chat.ts";
import type { Effect, Lookup } from "../core/effect.ts";
import { type ProfileRow, profileKey } from "../core/inbox.ts";
import { type ConversationId, eventId, type MessageId, type NotificationId, type UserId } from "../core/ids.ts";
import type { Attachment, ConversationView, MessageView, NotificationEvent, Person, User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { Missed } from "./state.ts";

/** Missed messages that a snapshot shows (contract: ConversationView.messages). */
export const MAX_SHOWN = 20;
/** Characters of a text that are shown: what is longer ends with an ellipsis; the record stays below Kafka's limit. */
const MAX_TEXT = 8_000;
const MAX_ATTACHMENTS = 20;
/** Characters of `custom` values, taken together, that a snapshot carries of one person or conversation. */
const MAX_CUSTOM = 4_000;

/** What a notification is about, before the texts and names are looked up. */
export interface Notice {
  readonly notificationId: NotificationId;
  readonly userId: UserId;
  readonly profile: User | null;
  readonly conversationId: ConversationId;
  readonly messageIds: readonly MessageId[];
  readonly shown: readonly Missed[];
  readonly omitted: number;
  readonly at: Millis;
}

/** Reads a row by what was looked up for it. */
type Found = (lookup: Lookup) => unknown;

/** TRIGGERED with its snapshot: texts and names as they are now, deleted messages gone. */
export const compose = (notice: Notice, found: Found): readonly Effect[] => {
  const { userId, conversationId, messageIds, at, notificationId } = notice;
  const value: NotificationEvent = {
    id: eventId(notificationId, "TRIGGERED"),
    type: "TRIGGERED",
    notificationId,
    userId,
    conversationId,
    messageIds,
    occurredAt: at,
    channel: "EMAIL",
    email: null,
    reason: null,
    statusCode: null,
    diagnostic: null,
    url: null,
    agent: null,
    snapshot: {
      recipient: person(userId, notice.profile, notice.profile?.emails ?? []),
      conversations: [view(notice, found)],
    },
  };
  return [{ type: "publish", topic: "notifications", key: userId, value }];
};

const chat = (notice: Notice, found: Found, key: string): ChatRow | undefined =>
  found({ processor: "conversations", home: "conversationStrays", id: notice.conversationId, key }) as
    ChatRow | undefined;

const view = (notice: Notice, found: Found): ConversationView => {
  const { conversationId, userId, shown } = notice;
  const row = chat(notice, found, conversationKey(conversationId));
  const conversation = row?.type === "conversation" ? row : undefined;
  const messages = shown.flatMap((missed): readonly MessageView[] => {
    const message = chat(notice, found, messageKey(conversationId, missed.messageId));
    return message?.type === "message" && !message.isDeleted ? [messageView(message, missed, found)] : [];
  });
  const all = [...messages, ...systemViews(conversation, messages, notice)].toSorted(
    (a, b) => a.occurredAt - b.occurredAt,
  );
  return {
    conversationId,
    subject: conversation?.subject ?? null,
    photoUrl: conversation?.photoUrl ?? null,
    custom: boundedCustom(conversation?.custom ?? {}),
    access: conversation?.participants[userId]?.access === "READ" ? "READ" : "READ_WRITE",
    messages: all,
    omitted: notice.omitted,
  };
};

/** System messages between the first that is shown and the notification. */
const systemViews = (
  row: ConversationRow | undefined,
  shown: readonly MessageView[],
  { at }: Notice,
): readonly MessageView[] => {
  const from = shown[0]?.occurredAt;
  if (row === undefined || from === undefined) return [];
  return row.systemMessages
    .filter((message) => !message.isDeleted && message.at >= from && message.at <= at)
    .map((message) => messageView(message, null, () => undefined));
};

const messageView = (message: MessageRow, missed: Missed | null, found: Found): MessageView => {
  const { messageId, kind, senderId, referencedMessageId, attachments, at } = message;
  return {
    messageId,
    kind,
    referencedMessageId,
    occurredAt: at,
    sender: senderId === null ? null : senderOf(senderId, found),
    text: message.text.length > MAX_TEXT ? `${message.text.slice(0, MAX_TEXT)}…` : message.text,
    attachments: attachments.slice(0, MAX_ATTACHMENTS).map(attachmentView),
    mentioned: missed?.isMentioned ?? false,
  };
};

const attachmentView = ({ name, url, mimeType, size }: Attachment) => ({ name, url, mimeType, size });

const senderOf = (sender: UserId, found: Found): Person => {
  const lookup = { processor: "inboxes", home: "inbox", id: sender, key: profileKey(sender) } as const;
  return person(sender, (found(lookup) as ProfileRow | undefined)?.user ?? null, []);
};

const person = (userId: UserId, profile: User | null, emails: readonly string[]): Person => ({
  userId,
  name: profile?.name ?? userId,
  emails,
  role: profile?.role ?? null,
  locale: profile?.locale ?? null,
  timezone: profile?.timezone ?? null,
  photoUrl: profile?.photoUrl ?? null,
  custom: boundedCustom(profile?.custom ?? {}),
});

/** The entries that fit, in their order. */
const boundedCustom = (custom: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  let left = MAX_CUSTOM;
  return Object.fromEntries(
    Object.entries(custom).filter(([name, value]) => (left -= name.length + value.length) >= 0),
  );
};
