import {
  type ChatRow,
  conversationKey,
  type ConversationRow,
  messageKey,
  type MessageRow,
  newConversation,
  type Participation,
} from "../core/chat.ts";
import type { Effect } from "../core/effect.ts";
import type { UserId } from "../core/ids.ts";
import { type Due, nothing, type Processor, type Rows, type Step } from "../core/processor.ts";
import type { InboxEntry, InboxEntryType, MessageEvent, ParticipantEvent } from "../core/records.ts";
import { DAY, type Millis } from "../core/time.ts";
import { type ConversationEvent, readConversationEvent } from "./event.ts";

/** A message leaves the store so long after the log's last word of it: nobody is told about it any more. */
export const MESSAGE_RETENTION: Millis = 30 * DAY;
/** System messages that are remembered for being shown. */
const MAX_SYSTEM_MESSAGES = 20;
/** Edits of one message that are told apart from their repeats. */
const MAX_EDITS = 100;

type Of<T extends ConversationEvent["type"]> = Extract<ConversationEvent, { type: T }>;

/** Who takes part in what; each message stored once and told to those who may miss it. */
export const conversations: Processor<ChatRow, ConversationEvent> = {
  name: "conversations",
  inputs: ["messages", "participants", "conversations"],
  home: "conversationStrays",
  strays: "conversationStrays",
  upstream: [],
  read: readConversationEvent,
  rows: (event) =>
    event.type === "message"
      ? [conversationKey(event.key), messageKey(event.key, event.message.messageId)]
      : [conversationKey(event.key)],
  fold(event, rows) {
    switch (event.type) {
      case "message":
        return onMessage(event, rows);
      case "participant":
        return onParticipant(conversationOf(event, rows), event);
      case "conversation":
        return describe(conversationOf(event, rows), event);
      case "deleted":
        return onDeleted(conversationOf(event, rows), event);
      case "due":
        return expire(event);
    }
  },
  wake: (row) => (row.type === "message" ? row.loggedAt + MESSAGE_RETENTION : null),
};

const conversationOf = ({ key }: ConversationEvent, rows: Rows<ChatRow>): ConversationRow => {
  const row = rows.get(conversationKey(key));
  return row?.type === "conversation" ? row : newConversation(key);
};

const save = (row: ConversationRow, effects: readonly Effect[] = []): Step<ChatRow> => ({
  writes: [[conversationKey(row.conversationId), row]],
  effects,
});

const expire = ({ key }: Due): Step<ChatRow> => ({ writes: [[key, null]], effects: [] });

const describe = (row: ConversationRow, { conversation }: Of<"conversation">): Step<ChatRow> => {
  const { subject, photoUrl, custom } = conversation;
  return save({ ...row, subject, photoUrl, custom, isDeleted: false });
};

const onDeleted = (row: ConversationRow, event: Of<"deleted">): Step<ChatRow> => {
  const everybody = Object.keys(row.participants);
  return save(
    { ...row, isDeleted: true },
    tell(row, event.at, "CLOSED", everybody, { reason: "conversation_deleted" }),
  );
};

const onParticipant = (row: ConversationRow, { participant, at }: Of<"participant">): Step<ChatRow> => {
  const { userId, type, access, notify } = participant;
  const before = participationOf(row, userId);
  if (type === "LEFT") {
    const { [userId]: _, ...others } = row.participants;
    return before === undefined ? nothing : save({ ...row, participants: others }, closed(row, userId, at, "left"));
  }
  const now = { access, notify };
  const participants = { ...row.participants, [userId]: now };
  return save({ ...row, participants }, narrowed(row, participant, before, at));
};

/** A user id may be any text, `constructor` too. */
const participationOf = ({ participants }: ConversationRow, user: UserId): Participation | undefined =>
  Object.hasOwn(participants, user) ? participants[user] : undefined;

/** What less attention or access takes away from what was missed so far. */
const narrowed = (
  row: ConversationRow,
  { userId, access, notify }: ParticipantEvent,
  before: Participation | undefined,
  at: Millis,
): readonly Effect[] => {
  if (before === undefined) return [];
  if (access === "NONE") return closed(row, userId, at, "no_access");
  if (notify === "NONE") return closed(row, userId, at, "muted");
  return notify === "MENTIONS_ONLY" ? tell(row, at, "MENTIONS_ONLY", [userId]) : [];
};

const closed = (row: ConversationRow, user: UserId, at: Millis, reason: string): readonly Effect[] =>
  tell(row, at, "CLOSED", [user], { reason });

const onMessage = (event: Of<"message">, rows: Rows<ChatRow>): Step<ChatRow> => {
  const row = conversationOf(event, rows);
  const known = rows.get(messageKey(event.key, event.message.messageId));
  const before = known?.type === "message" ? known : undefined;
  switch (event.message.type) {
    case "SENT":
      return before === undefined ? onSent(row, event) : nothing;
    case "EDITED":
      return before === undefined || before.isDeleted ? nothing : onEdited(row, before, event);
    case "DELETED":
      return before === undefined || before.isDeleted ? nothing : onWithdrawn(row, before, event);
  }
};

const onSent = (row: ConversationRow, { message, at, loggedAt }: Of<"message">): Step<ChatRow> => {
  const stored = stores(message, at, loggedAt);
  const recipients = candidates(row, stored, stored.mentions);
  const entry = { messageId: message.messageId, senderId: message.senderId, sentAt: at };
  const effects = [
    ...tell(row, at, "CANDIDATE", recipients, { ...entry, mentioned: among(recipients, stored.mentions) }),
    ...(message.senderId === null || message.kind === "SYSTEM" ? [] : tell(row, at, "OWN", [message.senderId], entry)),
  ];
  return { writes: keep(row, stored), effects };
};

/** The message's own row; a system message is also kept with its conversation, where who shows it finds it. */
const keep = (row: ConversationRow, message: MessageRow): Step<ChatRow>["writes"] => {
  const own = [messageKey(row.conversationId, message.messageId), message] as const;
  if (message.kind !== "SYSTEM") return [own];
  const others = row.systemMessages.filter(({ messageId }) => messageId !== message.messageId);
  const systemMessages = [...others, message].toSorted((a, b) => a.at - b.at).slice(-MAX_SYSTEM_MESSAGES);
  return [own, [conversationKey(row.conversationId), { ...row, systemMessages }]];
};

const stores = (message: MessageEvent, at: Millis, loggedAt: Millis): MessageRow => {
  const { conversationId, messageId, kind, senderId, text, attachments, mentions, referencedMessageId, origin } =
    message;
  const content = { kind, senderId, text, attachments, mentions, referencedMessageId };
  return {
    type: "message",
    conversationId,
    messageId,
    ...content,
    isImport: origin === "IMPORT",
    at,
    loggedAt,
    edits: [],
    isDeleted: false,
  };
};

const onEdited = (row: ConversationRow, before: MessageRow, event: Of<"message">): Step<ChatRow> => {
  const { at, loggedAt } = event;
  const { text, attachments, mentions } = event.message;
  if (before.edits.includes(at)) return nothing;
  const edits = [...before.edits, at].toSorted((a, b) => a - b).slice(-MAX_EDITS);
  const isLatest = edits.at(-1) === at;
  if (!isLatest) return { writes: keep(row, { ...before, edits, loggedAt }), effects: [] };
  const after = { ...before, text, attachments, mentions, edits, loggedAt };
  const newly = mentions.filter((user) => !before.mentions.includes(user));
  const added = candidates(row, after, newly).filter((user) => newly.includes(user));
  const entry = { messageId: after.messageId, senderId: after.senderId, sentAt: after.at };
  const others = recipientsOf(row);
  const unmentioned = others.filter(
    (user) => row.participants[user]?.notify === "MENTIONS_ONLY" && !mentions.includes(user),
  );
  return {
    writes: keep(row, after),
    effects: [
      ...tell(row, at, "WITHDRAWN", unmentioned, { ...entry, reason: "unmentioned" }),
      ...tell(row, at, "EDITED", others, { ...entry, mentioned: among(others, mentions) }),
      ...tell(row, at, "CANDIDATE", added, { ...entry, mentioned: added }),
    ],
  };
};

const onWithdrawn = (row: ConversationRow, before: MessageRow, { at, loggedAt }: Of<"message">): Step<ChatRow> => ({
  writes: keep(row, { ...before, text: "", attachments: [], isDeleted: true, loggedAt }),
  effects: tell(row, at, "WITHDRAWN", recipientsOf(row), { messageId: before.messageId, reason: "deleted" }),
});

/** For whom the message becomes a candidate now (semantics, "Missed", 1–4; the recipient's own side knows of 4's user). */
const candidates = (row: ConversationRow, message: MessageRow, mentions: readonly UserId[]): readonly UserId[] => {
  if (message.kind !== "USER" || message.isImport || row.isDeleted) return [];
  const named = new Set(mentions);
  return recipientsOf(row).filter((user) => {
    if (user === message.senderId) return false;
    return row.participants[user]?.notify === "ALL" || named.has(user);
  });
};

/** Those who may read and have not turned the conversation off. */
const recipientsOf = (row: ConversationRow): readonly UserId[] =>
  Object.entries(row.participants).flatMap(([user, { access, notify }]) =>
    access !== "NONE" && notify !== "NONE" ? [user] : [],
  );

const among = (users: readonly UserId[], mentions: readonly UserId[]): readonly UserId[] =>
  mentions.length === 0 ? [] : users.filter((user) => mentions.includes(user));

const tell = (
  row: ConversationRow,
  at: Millis,
  type: InboxEntryType,
  recipients: readonly UserId[],
  what: Partial<InboxEntry> = {},
): readonly Effect[] => {
  if (recipients.length === 0) return [];
  const base = { messageId: null, senderId: null, sentAt: at, reason: null, mentioned: [] };
  const { conversationId } = row;
  return [{ type: "fanOut", entry: { ...base, ...what, type, conversationId, recipients, occurredAt: at } }];
};
