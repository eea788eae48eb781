// The part of Mailpit's search language that a chat's mails need: to: from: cc: bcc: reply-to: addressed: subject:
// message-id: is:read is:unread has:attachment, free text, "quoted phrases", and - or ! in front to exclude.
import type { Address, Message, MessageSummary } from "./mailpit.ts";

/** Characters of a query that are read. */
export const QUERY_LIMIT_CHARS = 500;
/** Characters of a mail's text that a search looks at. */
const TEXT_SEARCHED_CHARS = 8_000;

/** The fields of a mail that a search looks at. */
export interface Searchable {
  readonly summary: MessageSummary;
  /** Lower case. */
  readonly text: string;
  /** The envelope's recipients. */
  readonly envelope: readonly string[];
}

/** A condition that mails meet or don't. */
export type Condition = (mail: Searchable, read: boolean) => boolean;

/** The text of a mail for free words. */
export function searchText(message: Message, words: string): string {
  const people = [message.From, ...message.To, ...message.Cc, ...message.Bcc, ...message.ReplyTo].map(spelled);
  const names = message.Attachments.map(({ FileName }) => FileName);
  return [message.Subject, ...people, ...names, words].join(" ").slice(0, TEXT_SEARCHED_CHARS).toLowerCase();
}

/** Reads a query; a mail matches if it meets every condition of it. */
export function readQuery(query: string): Condition {
  const terms = query.slice(0, QUERY_LIMIT_CHARS).match(/[-!]?(?:[\w-]+:)?"[^"]*"|\S+/g) ?? [];
  const conditions = terms.map(readTerm);
  return (mail, read) => conditions.every((condition) => condition(mail, read));
}

function readTerm(term: string): Condition {
  const excluded = term.length > 1 && /^[-!]/.test(term);
  const [, field = "", quoted = ""] = /^([\w-]+:)?([^]*)$/.exec(excluded ? term.slice(1) : term) ?? [];
  const value = quoted.replaceAll('"', "").toLowerCase();
  const condition = conditionOf(field.toLowerCase(), value, field);
  return excluded ? (mail, read) => !condition(mail, read) : condition;
}

function conditionOf(field: string, value: string, spelledField: string): Condition {
  const among = (pick: (summary: MessageSummary) => readonly Address[]): Condition => {
    return ({ summary }) => pick(summary).some((address) => spelled(address).toLowerCase().includes(value));
  };
  switch (field) {
    // The envelope counts too, unlike in Mailpit, for it has the true recipients.
    case "to:":
      return (mail, read) =>
        among(({ To }) => To)(mail, read) || mail.envelope.some((to) => to.toLowerCase().includes(value));
    case "from:":
      return among(({ From }) => [From]);
    case "cc:":
      return among(({ Cc }) => Cc);
    case "bcc:":
      return among(({ Bcc }) => Bcc);
    case "reply-to:":
      return among(({ ReplyTo }) => ReplyTo);
    case "addressed:":
      return among(({ From, To, Cc, Bcc, ReplyTo }) => [From, ...To, ...Cc, ...Bcc, ...ReplyTo]);
    case "subject:":
      return ({ summary }) => summary.Subject.toLowerCase().includes(value);
    case "message-id:":
      return ({ summary }) => summary.MessageID.toLowerCase().includes(value.replace(/^<|>$/g, ""));
    case "is:":
      return (_, read) => (value === "unread" ? !read : value === "read" && read);
    case "has:":
      return ({ summary }) => value.startsWith("attachment") && summary.Attachments > 0;
    default:
      return ({ text }) => text.includes(`${spelledField.toLowerCase()}${value}`);
  }
}

function spelled({ Name, Address }: Address): string {
  return Name === "" ? Address : `${Name} <${Address}>`;
}
