/** Longest URL that is linked, in UTF-16 code units: about what browsers and mail clients take. */
const MAX_URL = 2_000;

/** The URL as it may stand in a mail, percent-encoded where need be; null unless it is absolute, http or https. */
export const webUrl = (url: string | null): string | null => {
  if (url === null || url.length > MAX_URL || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return protocol === "https:" || protocol === "http:" ? href : null;
};

/**
 * The address of a conversation in the chat.
 * @param template an http or https URL with `{conversationId}` and, if wanted, `{userId}`; ids are percent-encoded
 */
export const joinUrl = (template: string, conversationId: string, userId: string): string =>
  template
    .replaceAll("{conversationId}", () => encodeURIComponent(conversationId.toWellFormed()))
    .replaceAll("{userId}", () => encodeURIComponent(userId.toWellFormed()));
