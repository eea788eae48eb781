import type { Attachment } from "../domain/records.ts";
import { ELLIPSIS, startOf } from "../domain/text.ts";

/**
 * What a snapshot carries at most, in UTF-16 code units unless said otherwise: with 500 ids of MAX_ID_LENGTH, and each
 * unit three bytes, a notification stays below the 2 MiB that its topic takes (runtime/topics.ts).
 */
/** Of a message's text; of a system message's. What is longer ends with an ellipsis. */
export const MAX_TEXT = 8_000;
export const MAX_SYSTEM_TEXT = 500;
/** Of a name or subject; of a language, time zone or media type. A role is an id. */
export const MAX_NAME = 300;
export const MAX_TAG = 100;
/** Of a URL: cut it would be another, so what is longer (a picture as `data:`, say) is left out. */
const MAX_URL = 2_000;
/** Attachments of one message, and of all that are shown: names and URLs. */
const MAX_ATTACHMENTS = 20;
const MAX_ATTACHMENTS_TEXT = 100_000;
/** `custom` names and values of one person or conversation. */
const MAX_CUSTOM = 4_000;
/** A recipient's addresses. One that is much longer than an envelope takes is none, and is left out: others need the room. */
const MAX_ADDRESSES_TEXT = 30_000;
const MAX_ADDRESS = 1_000;

/** The text as it is or, beyond the limit, its beginning and an ellipsis. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : startOf(text, limit) + ELLIPSIS;

export const cutOrNull = (text: string | null, limit: number): string | null =>
  text === null ? null : cut(text, limit);

export const linkOrNull = (url: string | null): string | null => (url === null || url.length > MAX_URL ? null : url);

/** The first ones that fit together. */
const fitting = <T>(items: readonly T[], sizeOf: (item: T) => number, limit: number): readonly T[] => {
  let left = limit;
  return items.filter((item) => (left -= sizeOf(item)) >= 0);
};

export const boundedCustom = (
  custom: Readonly<Record<string, string>>,
  share = 1,
): Readonly<Record<string, string>> => {
  const entries = Object.entries(custom);
  const some = fitting(entries, ([name, value]) => name.length + value.length, MAX_CUSTOM / share);
  return some.length === entries.length ? custom : Object.fromEntries(some);
};

export const boundedAddresses = (addresses: readonly string[]): readonly string[] =>
  fitting(
    [...new Set(addresses)].filter(({ length }) => length <= MAX_ADDRESS), // each once: an empty one takes no room
    ({ length }) => length,
    MAX_ADDRESSES_TEXT,
  );

/**
 * The attachments of messages, oldest message first, that can be shown: the latest messages' go first.
 * @param share of how many conversations this is one: they share what there is room for
 */
export const boundedAttachments = (
  messages: readonly (readonly Attachment[])[],
  share = 1,
): readonly (readonly Attachment[])[] => {
  const some = messages.map((attachments) =>
    attachments
      .slice(0, MAX_ATTACHMENTS)
      .flatMap(({ name, url, mimeType, size }) =>
        linkOrNull(url) === null ? [] : [{ name: cut(name, MAX_NAME), url, mimeType: cut(mimeType, MAX_TAG), size }],
      ),
  );
  const sizeOf = ({ name, url, mimeType }: Attachment): number => name.length + url.length + mimeType.length;
  const kept = new Set(fitting(some.toReversed().flat(), sizeOf, MAX_ATTACHMENTS_TEXT / share));
  return some.map((attachments) => attachments.filter((attachment) => kept.has(attachment)));
};
