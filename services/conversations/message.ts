import { type MessageRow, newConversation, type Version } from "../domain/conversation-rows.ts";
import type { MessageEvent } from "../domain/records.ts";
import { DAY, type Millis } from "../platform/contract/time.ts";

/**
 * A message leaves the store this long after the Kafka timestamp of its latest record. Later, nobody is notified about
 * it.
 */
export const MESSAGE_RETENTION: Millis = 30 * DAY;
/** Edits of one message that are remembered, so that a repeated edit changes nothing. */
const MAX_EDITS = 100;

/** The row of a message before its SENT has come. */
const blank = ({ conversationId, messageId }: MessageEvent, loggedAt: Millis): MessageRow => ({
  type: "message",
  conversationId: newConversation(conversationId).conversationId,
  messageId,
  isSent: false,
  kind: "USER",
  isImport: false,
  senderId: null,
  text: "",
  attachments: [],
  mentions: [],
  referencedMessageId: null,
  at: loggedAt,
  loggedAt,
  versions: [],
  deletedAt: null,
  isDeleted: false,
});

/** A message after a record; null where the record changes nothing. */
export type ChangedMessage = MessageRow | null;

/** Folds SENT. Edits and a deletion that came before it still apply if their own times are later. */
export const sent = (
  before: MessageRow | undefined,
  event: MessageEvent,
  at: Millis,
  loggedAt: Millis,
): ChangedMessage => {
  if (before?.isSent === true) return null;
  const known = before ?? blank(event, loggedAt);
  const { kind, senderId, text, attachments, mentions, referencedMessageId, origin } = event;
  const edits = known.versions.filter((version) => version.at > at);
  const isDeleted = known.deletedAt !== null && known.deletedAt > at;
  const content = edits.length > 0 || isDeleted ? {} : { text, attachments };
  return {
    ...known,
    ...content,
    ...(isDeleted ? { text: "", attachments: [] } : {}),
    isSent: true,
    kind,
    isImport: origin === "IMPORT",
    senderId,
    mentions: edits.at(-1)?.mentions ?? mentions,
    referencedMessageId,
    at,
    loggedAt,
    versions: [{ at, isEdit: false, mentions }, ...edits],
    isDeleted,
  };
};

/**
 * Folds EDITED. An edit of a known time, or of a time before the message was sent, changes nothing. An edit older than the
 * latest one adds only a version.
 */
export const edited = (
  before: MessageRow | undefined,
  event: MessageEvent,
  at: Millis,
  loggedAt: Millis,
): ChangedMessage => {
  if (before?.isDeleted === true) return null;
  const known = before ?? blank(event, loggedAt);
  if (known.isSent && at < known.at) return null;
  if (known.versions.some((version) => version.isEdit && version.at === at)) return null;
  const version: Version = { at, isEdit: true, mentions: event.mentions };
  const index = known.versions.findLastIndex((other) => other.at <= at) + 1;
  const all = known.versions.toSpliced(index, 0, version);
  const versions = all.length > MAX_EDITS + 1 ? all.toSpliced(known.isSent ? 1 : 0, 1) : all;
  const { text, attachments, mentions } = event;
  const isLatest = versions.at(-1) === version;
  return { ...known, ...(isLatest ? { text, attachments, mentions } : {}), versions, loggedAt };
};

/** Folds DELETED. Of a sent message no content is left. */
export const deleted = (
  before: MessageRow | undefined,
  event: MessageEvent,
  at: Millis,
  loggedAt: Millis,
): ChangedMessage => {
  if (before?.isDeleted === true) return null;
  const known = before ?? blank(event, loggedAt);
  const deletedAt = Math.max(known.deletedAt ?? at, at);
  if (!known.isSent) return { ...known, deletedAt, loggedAt };
  return { ...known, text: "", attachments: [], deletedAt, isDeleted: true, loggedAt };
};
