import type { Attachment } from "../domain/records.ts";
import { ELLIPSIS, startOf } from "../domain/text.ts";

/**
 * Limits of a snapshot, in UTF-16 code units unless said otherwise. With 500 ids of MAX_ID_LENGTH, and each unit three
 * bytes, a notification stays below the 2 MiB that its topic takes (platform/contract/topic.ts).
 */
/** Text of a message. A longer text ends with an ellipsis. */
export const MAX_TEXT = 8_000;
/** Text of a system message. */
export const MAX_SYSTEM_TEXT = 500;
/** Name or subject. */
export const MAX_NAME = 300;
/** Language, time zone or media type. A role is an id, and has its limit. */
export const MAX_TAG = 100;
/** URL. A longer one (a picture as `data:`, say) is left out: a cut URL leads elsewhere. */
const MAX_URL = 2_000;
/** Number of attachments of one message. */
const MAX_ATTACHMENTS = 20;
/** Names, URLs and media types of all attachments shown. */
const MAX_ATTACHMENTS_TEXT = 100_000;
/** Names and values in `custom` of one person or conversation. */
const MAX_CUSTOM = 4_000;
/** Addresses of a recipient together. */
const MAX_ADDRESSES_TEXT = 30_000;
/** One address. A longer one fits no envelope and is left out, so that it takes no room from the others. */
const MAX_ADDRESS = 1_000;

/** Cuts a text at the limit, and ends it with an ellipsis then. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : startOf(text, limit) + ELLIPSIS;

export const cutOrNull = (text: string | null, limit: number): string | null =>
  text === null ? null : cut(text, limit);

export const linkOrNull = (url: string | null): string | null => (url === null || url.length > MAX_URL ? null : url);

/** Keeps the items before the first one that exceeds the limit. */
const fitting = <T>(items: readonly T[], sizeOf: (item: T) => number, limit: number): readonly T[] => {
  let left = limit;
  return items.filter((item) => (left -= sizeOf(item)) >= 0);
};

export const boundedCustom = (
  custom: Readonly<Record<string, string>>,
  share = 1,
): Readonly<Record<string, string>> => {
  const entries = Object.entries(custom);
  const kept = fitting(entries, ([name, value]) => name.length + value.length, MAX_CUSTOM / share);
  return kept.length === entries.length ? custom : Object.fromEntries(kept);
};

export const boundedAddresses = (addresses: readonly string[]): readonly string[] =>
  fitting(
    [...new Set(addresses)].filter(({ length }) => length <= MAX_ADDRESS), // duplicates are removed, as empty ones would take no room
    ({ length }) => length,
    MAX_ADDRESSES_TEXT,
  );

/**
 * Limits the attachments of messages. Where the room runs out, attachments of the latest messages are kept.
 * @param messages attachments by message, oldest message first
 * @param share number of conversations that share the room
 */
export const boundedAttachments = (
  messages: readonly (readonly Attachment[])[],
  share = 1,
): readonly (readonly Attachment[])[] => {
  const bounded = messages.map((attachments) =>
    attachments
      .slice(0, MAX_ATTACHMENTS)
      .flatMap(({ name, url, mimeType, size }) =>
        linkOrNull(url) === null ? [] : [{ name: cut(name, MAX_NAME), url, mimeType: cut(mimeType, MAX_TAG), size }],
      ),
  );
  const sizeOf = ({ name, url, mimeType }: Attachment): number => name.length + url.length + mimeType.length;
  const kept = new Set(fitting(bounded.toReversed().flat(), sizeOf, MAX_ATTACHMENTS_TEXT / share));
  return bounded.map((attachments) => attachments.filter((attachment) => kept.has(attachment)));
};
