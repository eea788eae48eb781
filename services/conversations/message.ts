import { type MessageRow, newConversation, type Version } from "../domain/conversation-rows.ts";
import type { MessageEvent } from "../domain/records.ts";
import { DAY, type Millis } from "../platform/contract/time.ts";

/** A message leaves the store so long after the log's last word of it: nobody is told about it any more. */
export const MESSAGE_RETENTION: Millis = 30 * DAY;
/** Edits of one message that are remembered, and told apart from their repeats. */
const MAX_EDITS = 100;

/** A message of which nothing is known but that it is spoken of. */
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

/** What folding a record made of a message; null where it changes nothing. */
export type Changed = MessageRow | null;

/** The message as sent, with the edits and the deletion that are of a later time but were read before. */
export const sent = (before: MessageRow | undefined, event: MessageEvent, at: Millis, loggedAt: Millis): Changed => {
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
 * The message after an edit; one of a time that is known changes nothing, nor does one of a time before it was sent, and
 * one before the latest only what was then.
 */
export const edited = (before: MessageRow | undefined, event: MessageEvent, at: Millis, loggedAt: Millis): Changed => {
  if (before?.isDeleted === true) return null;
  const known = before ?? blank(event, loggedAt);
  if (known.isSent && at < known.at) return null;
  if (known.versions.some((version) => version.isEdit && version.at === at)) return null;
  const version: Version = { at, isEdit: true, mentions: event.mentions };
  const place = known.versions.findLastIndex((other) => other.at <= at) + 1;
  const all = known.versions.toSpliced(place, 0, version);
  const versions = all.length > MAX_EDITS + 1 ? all.toSpliced(known.isSent ? 1 : 0, 1) : all;
  const { text, attachments, mentions } = event;
  const isLatest = versions.at(-1) === version;
  return { ...known, ...(isLatest ? { text, attachments, mentions } : {}), versions, loggedAt };
};

/** The message after its deletion: nothing is left of it but that it was. */
export const deleted = (before: MessageRow | undefined, event: MessageEvent, at: Millis, loggedAt: Millis): Changed => {
  if (before?.isDeleted === true) return null;
  const known = before ?? blank(event, loggedAt);
  const deletedAt = Math.max(known.deletedAt ?? at, at);
  if (!known.isSent) return { ...known, deletedAt, loggedAt };
  return { ...known, text: "", attachments: [], deletedAt, isDeleted: true, loggedAt };
};
