import { type Effect, type Processor, type Step, counters, multicasts } from "../domain/effect.ts";
import {
  type ChatRow,
  conversationKey,
  type ConversationRow,
  messageKey,
  type MessageRow,
  newConversation,
  nothingRecent,
  type Participation,
  recentKey,
  type RecentRow,
} from "../domain/conversation-rows.ts";
import { restoredBy } from "../domain/deletion.ts";
import type { UserId } from "../domain/ids.ts";
import { LATENESS } from "../domain/log-record.ts";
import { flow } from "../domain/flow.ts";
import { type Due, nothing, type Rows } from "../platform/contract/processor.ts";
import { type Millis, MINUTE } from "../platform/contract/time.ts";
import { candidaciesOf, type Candidacy, type Difference } from "./candidacy.ts";
import { type ConversationEvent, readConversationEvent } from "./event.ts";
import { deleted, edited, MESSAGE_RETENTION, sent } from "./message.ts";
import {
  everybody,
  exclusion,
  formerly,
  isSame,
  knownSince,
  participationAt,
  participationOf,
  withChange,
} from "./participation.ts";
import { differing, rejections, tell, type Telling } from "./tell.ts";

/** System messages of a conversation that are remembered, to be shown in notifications. */
const MAX_SYSTEM_MESSAGES = 20;
/** Messages of a conversation that are remembered as recent. */
const MAX_RECENT = 50;
/** Messages of the last LATEST that are remembered: most late records concern them. */
const MAX_LATEST = 500;
const LATEST: Millis = 5 * MINUTE;

type Of<T extends ConversationEvent["type"]> = Extract<ConversationEvent, { type: T }>;

/** Records of the inbox topic, each with up to some hundred recipients, that may wait for `inboxes` to fold them. */
const MAX_LEAD = 2_000;

/** Keeps participants, stores each message once, and sends inbox entries to the users who may miss it. */
export const conversations: Processor<ChatRow, ConversationEvent> = {
  name: "conversations",
  inputs: ["messages", "participants", "conversations"],
  home: "conversationStrays",
  strays: "conversationStrays",
  order: "log time",
  upstream: [flow.conversationStrays],
  feeds: { processor: flow.notifications.processor, topic: flow.inbox.to, most: MAX_LEAD },
  multicasts,
  counters,
  read: readConversationEvent,
  rows(event) {
    const keys = [conversationKey(event.key), recentKey(event.key)];
    return event.type === "message" ? [...keys, messageKey(event.key, event.message.messageId)] : keys;
  },
  fold(event, rows) {
    switch (event.type) {
      case "message":
        return onMessage(event, rows);
      case "participant":
        return onParticipant(conversationOf(event, rows), event, rows);
      case "conversation":
        return onDescribed(conversationOf(event, rows), event, rows);
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

const recentOf = ({ key }: ConversationEvent, rows: Rows<ChatRow>): RecentRow => {
  const row = rows.get(recentKey(key));
  return row?.type === "recent" ? row : nothingRecent;
};

const save = (row: ConversationRow, effects: readonly Effect[] = []): Step<ChatRow> => ({
  writes: [[conversationKey(row.conversationId), row]],
  effects,
});

const expire = ({ key }: Due): Step<ChatRow> => ({ writes: [[key, null]], effects: [] });

/** Takes in a description: the latest one counts. A description after a deletion brings the conversation back. */
const onDescribed = (row: ConversationRow, event: Of<"conversation">, rows: Rows<ChatRow>): Step<ChatRow> => {
  const { conversation, at, loggedAt } = event;
  const { subject, photoUrl, custom } = conversation;
  const restoredAt = restoredBy(row, at);
  const isLatest = row.describedAt === null || at >= row.describedAt;
  const after = { ...row, restoredAt, ...(isLatest ? { subject, photoUrl, custom, describedAt: at } : {}) };
  const isLate = restoredAt !== row.restoredAt && at < loggedAt;
  return save(after, isLate ? reconsidered(event, row, after, everybody(after), rows) : []);
};

const onDeleted = (row: ConversationRow, event: Of<"deleted">): Step<ChatRow> =>
  save(
    { ...row, deletedAt: event.at, restoredAt: null },
    tell(event, "CLOSED", everybody(row), { reason: "conversation_deleted" }),
  );

const onParticipant = (row: ConversationRow, event: Of<"participant">, rows: Rows<ChatRow>): Step<ChatRow> => {
  const { participant, at, loggedAt } = event;
  const { userId, type, access, notify } = participant;
  const was = participationAt(row, userId, at, participationOf(row, userId));
  const now = type === "LEFT" ? null : { access, notify, since: at };
  const after = withChange(row, userId, at, now, loggedAt);
  if (isSame(was, now)) return after === row ? nothing : save(after);
  const effects = reconsidered(event, row, after, [userId], rows);
  return save(after, [...(was === null ? [] : narrowed(event, userId, exclusion(now, false))), ...effects]);
};

/** Decides anew about the recent messages whose own times are not before a late event's. */
const reconsidered = (
  event: Of<"participant" | "conversation">,
  before: ConversationRow,
  after: ConversationRow,
  users: readonly UserId[],
  rows: Rows<ChatRow>,
): readonly Effect[] => {
  const late = recentOf(event, rows).messages.filter((message) => message.at >= event.at);
  const keys = late.map(({ messageId }) => messageKey(event.key, messageId));
  rows.expect(keys);
  return keys.flatMap((key) => {
    const message = rows.get(key);
    if (message?.type !== "message" || !message.isSent) return [];
    const [were, are] = [candidaciesOf(before, message), candidaciesOf(after, message)];
    const differences = users.map((user) => {
      // Earlier changes of participation are forgotten, so earlier candidacies cannot be compared.
      const from = Math.min(event.loggedAt - LATENESS + 1, knownSince(before, user));
      const isRemembered = ({ since }: Candidacy): boolean => since >= from;
      return {
        users: [user],
        before: were(user, participationOf(before, user)).filter(isRemembered),
        after: are(user, participationOf(after, user)).filter(isRemembered),
      };
    });
    return [...differing(event, message, differences), ...rejections(event, message.messageId, differences)];
  });
};

/** Takes missed messages away from a user whose access or notifications are narrowed. */
const narrowed = (event: Telling, user: UserId, reason: string | null): readonly Effect[] => {
  if (reason === null) return [];
  if (reason === "not_mentioned") return tell(event, "MENTIONS_ONLY", [user]);
  return tell(event, "CLOSED", [user], { reason: reason === "not_participant" ? "left" : reason });
};

const onMessage = (event: Of<"message">, rows: Rows<ChatRow>): Step<ChatRow> => {
  const { key, message, at, loggedAt } = event;
  const row = conversationOf(event, rows);
  const known = rows.get(messageKey(key, message.messageId));
  const before = known?.type === "message" ? known : undefined;
  const change = { SENT: sent, EDITED: edited, DELETED: deleted }[message.type];
  const after = change(before, message, at, loggedAt);
  if (after === null) return nothing;
  const writes = keep(row, recentOf(event, rows), after, event);
  if (!after.isSent) return { writes, effects: [] };
  switch (message.type) {
    case "SENT":
      return { writes, effects: onSent(row, after, event) };
    case "EDITED":
      return { writes, effects: onEdited(row, before, after, event) };
    case "DELETED":
      return {
        writes,
        effects: tell(event, "WITHDRAWN", everybody(row), { messageId: after.messageId, reason: "deleted" }),
      };
  }
};

const onSent = (row: ConversationRow, message: MessageRow, event: Of<"message">): readonly Effect[] => {
  const { messageId, senderId, at: sentAt } = message;
  const differences = newCandidacies(row, message);
  return [
    ...differing(event, message, differences),
    ...rejections(event, messageId, differences, true),
    ...(senderId === null ? [] : tell(event, "OWN", [senderId], { messageId, senderId, sentAt })),
  ];
};

/** Candidacies of a new message, with users of equal outcome together. Users who left lately are among them. */
const newCandidacies = (row: ConversationRow, message: MessageRow): readonly Difference[] => {
  const candidacies = candidaciesOf(row, message);
  const alike = new Map<readonly Candidacy[], UserId[]>();
  const add = (user: UserId, now: Participation | null): void => {
    const after = candidacies(user, now);
    const users = alike.get(after);
    if (users === undefined) alike.set(after, [user]);
    else users.push(user);
  };
  for (const now of row.participants) add(now.userId, now);
  for (const user of formerly(row)) add(user, null);
  return Array.from(alike, ([after, users]) => ({ users, before: none, after }));
};

const none: readonly Candidacy[] = [];

const onEdited = (
  row: ConversationRow,
  before: MessageRow | undefined,
  after: MessageRow,
  event: Of<"message">,
): readonly Effect[] => {
  if (before === undefined) return [];
  const { messageId, senderId, at: sentAt, mentions } = after;
  const here = new Set(everybody(row));
  const concerned = [...new Set(after.versions.flatMap((version) => version.mentions))].filter((user) =>
    here.has(user),
  );
  const [were, are] = [candidaciesOf(row, before), candidaciesOf(row, after)];
  const differ = concerned.filter((user) => before.mentions.includes(user) !== mentions.includes(user));
  const differences = concerned.map((user) => {
    const now = participationOf(row, user);
    return { users: [user], before: were(user, now), after: are(user, now) };
  });
  return [
    ...tell(event, "EDITED", differ, {
      messageId,
      senderId,
      sentAt,
      mentioned: differ.filter((user) => mentions.includes(user)),
    }),
    ...differing(event, after, differences),
    ...rejections(event, messageId, differences),
  ];
};

/**
 * Writes the message's row and lists it as recent. A system message is also kept in the conversation's row, to be
 * shown.
 */
const keep = (
  row: ConversationRow,
  recent: RecentRow,
  message: MessageRow,
  { at, loggedAt }: Of<"message">,
): Step<ChatRow>["writes"] => {
  const { conversationId, messageId } = message;
  const before = recent.messages.find((each) => each.messageId === messageId);
  const messages = recent.messages.filter((each) => each !== before && each.at > loggedAt - LATENESS);
  const isLatest = (index: number): boolean =>
    messages.length - index < MAX_LATEST && (messages[index]?.at ?? 0) > loggedAt - LATEST;
  let surplus = 0;
  while (messages.length - surplus >= MAX_RECENT && !isLatest(surplus)) surplus++;
  if (surplus > 0) messages.splice(0, surplus);
  messages.push({ messageId, at: Math.max(before?.at ?? at, at) });
  const writes = [
    [messageKey(conversationId, messageId), message],
    [recentKey(conversationId), { type: "recent", messages }],
  ] as const;
  if (message.kind !== "SYSTEM") return writes;
  const systemMessages = [...row.systemMessages.filter((each) => each.messageId !== messageId), message]
    .toSorted((a, b) => a.at - b.at)
    .slice(-MAX_SYSTEM_MESSAGES);
  return [...writes, [conversationKey(conversationId), { ...row, systemMessages }]];
};
