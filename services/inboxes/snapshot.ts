import { type Effect, note } from "../domain/effect.ts";
import {
  type ChatRow,
  conversationKey,
  type ConversationRow,
  messageKey,
  type MessageRow,
} from "../domain/conversation-rows.ts";
import type { Lookup } from "../platform/contract/effect.ts";
import type { ProfileRow } from "../domain/inbox-rows.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import {
  type ConversationId,
  type EventId,
  eventId,
  type NotificationId,
  notificationId,
  type UserId,
} from "../domain/ids.ts";
import type { ConversationView, MessageView, NotificationEvent, Person, User } from "../domain/records.ts";
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
import { chatRow, type Notice, type Part, profileOf } from "./notification.ts";
import type { Missed } from "./state.ts";
import { emptyVerdict } from "./draft.ts";

/** Returns the row that a lookup found. */
type Found = (lookup: Lookup) => unknown;

/**
 * Turns a notice into the TRIGGERED verdict and event. Texts and names are the present ones, and deleted messages are
 * left out.
 */
export const compose = (notice: Notice, found: Found): readonly Effect[] => {
  const { userId, conversationId, messageIds, first, awaySince, at } = notice;
  const id = notificationId(userId, first.conversationId, first.messageId, first.since);
  const views = notice.parts.map((part) => view(notice, part, found));
  const verdict = { ...emptyVerdict, verdict: "TRIGGERED", notificationId: id, messageIds, conversationId } as const;
  const facts = {
    first: String(first.since),
    ...(awaySince === null ? {} : { awaySince: String(awaySince) }),
  };
  return [
    note({ ...verdict, facts, occurredAt: at }, [userId]),
    triggered(notice, id, eventId(id, "TRIGGERED"), views),
  ];
};

/** Publishes TRIGGERED with a snapshot of the conversations. */
export const triggered = (
  notice: Notice,
  notification: NotificationId,
  id: EventId,
  conversations: readonly ConversationView[],
): Effect => {
  const { userId, conversationId, messageIds, at } = notice;
  const value: NotificationEvent = {
    id,
    type: "TRIGGERED",
    notificationId: notification,
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
      conversations,
    },
  };
  return { type: "publish", topic: "notifications", key: userId, value };
};

const chat = (found: Found, conversation: ConversationId, key: string): ChatRow | undefined =>
  found(chatRow(conversation, key)) as ChatRow | undefined;

const view = (notice: Notice, part: Part, found: Found): ConversationView => {
  const { conversationId, shown, omitted } = part;
  const row = chat(found, conversationId, conversationKey(conversationId));
  const conversation = row?.type === "conversation" ? row : undefined;
  const messages = shown.flatMap((missed): readonly Shown[] => {
    const message = chat(found, conversationId, messageKey(conversationId, missed.messageId));
    return message?.type === "message" && !message.isDeleted ? [{ message, missed }] : [];
  });
  const all = [...messages, ...systemMessages(conversation, messages, notice)].toSorted(
    (a, b) => a.message.at - b.message.at,
  );
  const share = notice.parts.length;
  const attachments = boundedAttachments(
    all.map(({ message }) => message.attachments),
    share,
  );
  return {
    conversationId,
    subject: cutOrNull(conversation?.subject ?? null, MAX_NAME),
    photoUrl: linkOrNull(conversation?.photoUrl ?? null),
    custom: boundedCustom(conversation?.custom ?? {}),
    access: accessOf(conversation, notice.userId),
    messages: all.map((message, index) => messageView(message, attachments[index] ?? [], share, found)),
    omitted,
  };
};

const accessOf = (conversation: ConversationRow | undefined, user: UserId): "READ" | "READ_WRITE" => {
  const participant = conversation?.participants.find(({ userId }) => userId === user);
  return participant?.access === "READ" ? "READ" : "READ_WRITE";
};

/** A message that is shown; `missed` is null for a system message. */
interface Shown {
  readonly message: MessageRow;
  readonly missed: Missed | null;
}

/** System messages between the first message shown and the notification. */
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
  share: number,
  found: Found,
): MessageView => {
  const { messageId, kind, senderId, referencedMessageId, at, text } = message;
  return {
    messageId,
    kind,
    referencedMessageId: (referencedMessageId?.length ?? 0) > MAX_ID_LENGTH ? null : referencedMessageId,
    occurredAt: at,
    sender: senderId === null ? null : senderOf(senderId, share, missed === null ? () => undefined : found),
    text: cut(text, Math.floor((missed === null ? MAX_SYSTEM_TEXT : MAX_TEXT) / share)),
    attachments,
    mentioned: missed?.isMentioned ?? false,
  };
};

const senderOf = (sender: UserId, share: number, found: Found): Person =>
  person(sender, (found(profileOf(sender)) as ProfileRow | undefined)?.user ?? null, [], share);

const person = (userId: UserId, profile: User | null, emails: readonly string[], share = 1): Person => ({
  userId,
  name: cut(profile?.name ?? userId, MAX_NAME),
  emails,
  role: cutOrNull(profile?.role ?? null, MAX_ID_LENGTH),
  locale: cutOrNull(profile?.locale ?? null, MAX_TAG),
  timezone: cutOrNull(profile?.timezone ?? null, MAX_TAG),
  photoUrl: linkOrNull(profile?.photoUrl ?? null),
  custom: boundedCustom(profile?.custom ?? {}, share),
});
