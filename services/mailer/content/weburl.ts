/** Maximum length of a URL that is linked, in UTF-16 code units: about the limit of browsers and mail clients. */
const MAX_URL = 2_000;

/** Percent-encodes a URL for a mail; null unless it is absolute, and http or https. */
export const webUrl = (url: string | null): string | null => {
  if (url === null || url.length > MAX_URL || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? href : null;
};

/**
 * Makes the URL of a conversation in the chat.
 * @param template an http or https URL with `{conversationId}` and, optionally, `{userId}`; ids are percent-encoded
 */
export const joinUrl = (template: string, conversationId: string, userId: string): string =>
  template
    .replaceAll("{conversationId}", () => encodeURIComponent(conversationId.toWellFormed()))
    .replaceAll("{userId}", () => encodeURIComponent(userId.toWellFormed()));
