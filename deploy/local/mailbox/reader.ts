// Mails are parsed when they are looked at, not when they come: a load test must not wait for a parser.
import type { MessageSummary } from "./mailpit.ts";
import { parseMail, type ParsedMessage } from "./parse.ts";
import { searchText, type Searchable } from "./search.ts";
import type { MailStore, StoredMail } from "./store.ts";

/** Parsed mails kept in memory, with their attachments; each may be as large as a mail may be. */
const PARSED_KEPT = 8;
/** White space, and the invisible characters that mails fill their preview with. */
const UNSEEN = /(?:\s|\u{FEFF}|[\u{200B}-\u{200F}]|\u{34F}|\u{AD})+/gu;
/** Characters of a mail's text that its line in a list shows. */
const SNIPPET_CHARS = 200;

/** Reads mails of a store, and remembers their fields for lists. */
export interface MailReader {
  readonly parsed: (mail: StoredMail) => Promise<ParsedMessage>;
  readonly searchable: (mail: StoredMail) => Promise<Searchable>;
  readonly summary: (mail: StoredMail) => Promise<MessageSummary>;
  /** Read marks last as long as the process. */
  readonly markRead: (mail: StoredMail) => void;
  readonly isRead: (id: string) => boolean;
}

/** A reader of a store; it forgets a mail when the store does. */
export function createMailReader(store: MailStore): MailReader {
  const parsed = new Map<string, Promise<ParsedMessage>>();
  const known = new Map<string, Promise<Searchable>>();
  const read = new Set<string>();
  store.onGone((id) => {
    parsed.delete(id);
    known.delete(id);
    read.delete(id);
  });

  const parse = (mail: StoredMail): Promise<ParsedMessage> => {
    const before = parsed.get(mail.id);
    parsed.delete(mail.id);
    const result = before ?? store.raw(mail).then((raw) => parseMail(mail, raw));
    // The mail used last goes last; the first is the one to forget.
    parsed.set(mail.id, result);
    result.catch(() => parsed.delete(mail.id));
    for (const oldest of parsed.keys()) if (parsed.size > PARSED_KEPT) parsed.delete(oldest);
    return result;
  };
  const searchable = (mail: StoredMail): Promise<Searchable> => {
    const before = known.get(mail.id);
    if (before !== undefined) return before;
    const result = parse(mail).then((parts) => searchableOf(mail, parts));
    known.set(mail.id, result);
    result.catch(() => known.delete(mail.id));
    return result;
  };
  return {
    parsed: parse,
    searchable,
    summary: async (mail) => ({ ...(await searchable(mail)).summary, Read: read.has(mail.id) }),
    markRead: ({ id }) => void (store.find(id) && read.add(id)),
    isRead: (id) => read.has(id),
  };
}

function searchableOf(mail: StoredMail, { message, problem }: ParsedMessage): Searchable {
  const body = message.HTML === "" ? message.Text : withoutTags(message.HTML);
  const words = (message.Text || body).replace(UNSEEN, " ").trim();
  const { ID, MessageID, From, To, Cc, Bcc, ReplyTo, Subject, Tags, Username, Size } = message;
  const addressed = { ID, MessageID, From, To, Cc, Bcc, ReplyTo, Subject, Tags, Username, Size };
  const summary: MessageSummary = {
    ...addressed,
    Read: false,
    Created: new Date(mail.receivedAt).toISOString(),
    Attachments: message.Attachments.length,
    Snippet: problem === undefined ? cut(words, SNIPPET_CHARS) : `Could not be read: ${problem}`,
  };
  return { summary, text: searchText(message, words), envelope: mail.to };
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars).toWellFormed().trimEnd()}…`;
}

/** Elements whose text is not shown. */
const UNREAD_ELEMENTS: ReadonlySet<string> = new Set(["style", "script", "head", "title"]);
/** Characters of HTML that a gist is made of. */
const GIST_CHARS = 100_000;

/**
 * A gist of HTML for searching and snippets, in one pass. It is only ever shown as text, so it need not be right about
 * every tag.
 */
function withoutTags(markup: string): string {
  let inside = "";
  let gist = "";
  for (const piece of `>${markup.slice(0, GIST_CHARS)}`.split("<")) {
    const [, closing, name = "", text = ""] = /^(\/?)([a-z][a-z0-9]*)?[^>]*>?([^]*)$/i.exec(piece) ?? [];
    const element = name.toLowerCase();
    if (inside === "" && closing === "" && UNREAD_ELEMENTS.has(element)) inside = element;
    else if (closing === "/" && element === inside) inside = "";
    if (inside === "") gist += ` ${text}`;
  }
  return gist.replace(/&(nbsp|lt|gt|quot|amp|#39|zwnj);/gi, (_, name: string) => CHARACTERS[name.toLowerCase()] ?? " ");
}

const CHARACTERS: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };
