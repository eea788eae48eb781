import type { ShownConversation, ShownMessage } from "./view.ts";

/**
 * Octets of HTML for the conversations of a mail. Gmail clips a mail after 102,400 octets, and the frame around the
 * conversations takes less than 10,000. Octets are counted because an escaped character takes up to five.
 */
export const MAIL_BUDGET = 90_000;
/** Octets that html.liquid writes around each, at most: compose.test.ts, "has HTML below the 102,400 octets", checks it. */
const CONVERSATION_FRAME = 3_000;
const MESSAGE_FRAME = 2_000;
const ATTACHMENT_FRAME = 1_000;
/** Octets that escaping adds to a character. */
const ESCAPE = 4;

const encoder = new TextEncoder();

const octets = (...texts: readonly (string | null)[]): number =>
  texts.reduce((sum, text) => sum + (text === null ? 0 : encoder.encode(text).length + ESCAPE * escapes(text)), 0);

const escapes = (text: string): number => text.match(/[&<>"'\n]/g)?.length ?? 0;

export const conversationCost = ({ subject, photoUrl, joinUrl, senders }: Omit<ShownConversation, "runs">): number =>
  CONVERSATION_FRAME + octets(photoUrl, joinUrl, subject ?? senders.join(", "));

const messageCost = ({ sender, text, attachments, at }: ShownMessage): number =>
  attachments.reduce(
    (sum, { name, url, size }) => sum + ATTACHMENT_FRAME + octets(name, url, size),
    MESSAGE_FRAME + octets(sender.name, sender.photoUrl, text, at),
  );

/** Counts the messages, from the last one back, that fit in a budget of octets, and their cost. */
export const fitting = (messages: readonly ShownMessage[], budget: number): { count: number; cost: number } => {
  let [count, cost] = [0, 0];
  for (const message of messages.toReversed()) {
    const more = messageCost(message);
    if (cost + more > budget) break;
    count++;
    cost += more;
  }
  return { count, cost };
};
