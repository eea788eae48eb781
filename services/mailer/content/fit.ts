import type { ShownConversation, ShownMessage } from "./view.ts";

/**
 * Octets of HTML for conversations: Gmail cuts a mail off after 102,400, and what the frame takes is below 10,000. Texts
 * may be five octets a character once escaped, so it is octets that are counted.
 */
export const MAIL_BUDGET = 90_000;
/** What html.liquid writes around each, at most: measured by render.test.ts, "never makes the HTML so long …". */
const CONVERSATION_FRAME = 3_000;
const MESSAGE_FRAME = 2_000;
const ATTACHMENT_FRAME = 1_000;
/** A character that is escaped becomes five octets. */
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

/** How many of the messages, from the last one back, fit in so many octets, and what they take. */
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
