import { type ChatRow, conversationKey, type ConversationRow, messageKey, type MessageRow } from "../core/chat.ts";
import type { Effect, Lookup } from "../core/effect.ts";
import { type ProfileRow, profileKey } from "../core/inbox.ts";
import {
  type ConversationId,
  eventId,
  MAX_ID_LENGTH,
  type MessageId,
  type NotificationId,
  type UserId,
} from "../core/ids.ts";
import type { ConversationView, MessageView, NotificationEvent, Person, User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import {
  boundedAddresses,
  boundedAttachments,
  boundedCustom,
  cut,
  cutOrNull,
  linkOrNull,
  MAX_NAME,
  MAX_SYSTEM_TEXT,
  MAX_TAG,
  MAX_TEXT,
} from "./bounds.ts";
import type { Missed } from "./state.ts";

/** Missed messages that a snapshot shows (contract: ConversationView.messages). */
export const MAX_SHOWN = 20;
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
      recipient: person(userId, notice.profile, boundedAddresses(notice.profile?.emails ?? [])),
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
  const messages = shown.flatMap((missed): readonly Shown[] => {
    const message = chat(notice, found, messageKey(conversationId, missed.messageId));
    return message?.type === "message" && !message.isDeleted ? [{ message, missed }] : [];
  });
  const all = [...messages, ...systemMessages(conversation, messages, notice)].toSorted(
    (a, b) => a.message.at - b.message.at,
  );
  const attachments = boundedAttachments(all.map(({ message }) => message.attachments));
  return {
    conversationId,
    subject: cutOrNull(conversation?.subject ?? null, MAX_NAME),
    photoUrl: linkOrNull(conversation?.photoUrl ?? null),
    custom: boundedCustom(conversation?.custom ?? {}),
    access: conversation?.participants[userId]?.access === "READ" ? "READ" : "READ_WRITE",
    messages: all.map((one, index) => messageView(one, attachments[index] ?? [], found)),
    omitted: notice.omitted,
  };
};

/** A message that is shown; `missed` is null where it is one of the system's. */
interface Shown {
  readonly message: MessageRow;
  readonly missed: Missed | null;
}

/** System messages between the first that is shown and the notification. */
const systemMessages = (
  row: ConversationRow | undefined,
  shown: readonly Shown[],
  { at }: Notice,
): readonly Shown[] => {
  const from = shown[0]?.message.at;
  if (row === undefined || from === undefined) return [];
  return row.systemMessages
    .filter((message) => !message.isDeleted && message.at >= from && message.at <= at)
    .map((message) => ({ message, missed: null }));
};

const messageView = (
  { message, missed }: Shown,
  attachments: MessageView["attachments"],
  found: Found,
): MessageView => {
  const { messageId, kind, senderId, referencedMessageId, at, text } = message;
  return {
    messageId,
    kind,
    referencedMessageId: (referencedMessageId?.length ?? 0) > MAX_ID_LENGTH ? null : referencedMessageId,
    occurredAt: at,
    sender: senderId === null ? null : senderOf(senderId, missed === null ? () => undefined : found),
    text: cut(text, missed === null ? MAX_SYSTEM_TEXT : MAX_TEXT),
    attachments,
    mentioned: missed?.isMentioned ?? false,
  };
};

const senderOf = (sender: UserId, found: Found): Person => {
  const lookup = { processor: "inboxes", home: "inbox", id: sender, key: profileKey(sender) } as const;
  return person(sender, (found(lookup) as ProfileRow | undefined)?.user ?? null, []);
};

const person = (userId: UserId, profile: User | null, emails: readonly string[]): Person => ({
  userId,
  name: cut(profile?.name ?? userId, MAX_NAME),
  emails,
  role: cutOrNull(profile?.role ?? null, MAX_TAG),
  locale: cutOrNull(profile?.locale ?? null, MAX_TAG),
  timezone: cutOrNull(profile?.timezone ?? null, MAX_TAG),
  photoUrl: linkOrNull(profile?.photoUrl ?? null),
  custom: boundedCustom(profile?.custom ?? {}),
});
