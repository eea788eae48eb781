import { createHash } from "node:crypto";
import { simpleParser, type AddressObject, type Attachment as ParsedPart, type ParsedMail } from "mailparser";
import { headerFields } from "./headers.ts";
import type { Address, Attachment, Message } from "./mailpit.ts";
import type { StoredMail } from "./store.ts";
import { listUnsubscribe } from "./unsubscribe.ts";

/** A part of a mail, decoded. */
export interface Part extends Attachment {
  readonly content: Buffer;
}

/** A parsed mail. */
export interface ParsedMessage {
  readonly message: Message;
  readonly parts: readonly Part[];
  /** Reason why the mail could not be parsed; it then has its envelope, headers and raw source only. */
  readonly problem: string | undefined;
}

/** Parses a stored mail. Never fails: an unreadable mail has a `problem`. */
export async function parseMail(mail: StoredMail, raw: Buffer): Promise<ParsedMessage> {
  try {
    // Text is never made from HTML, nor HTML from text: the page and the tests must see the mail as it was sent.
    const parsed = await simpleParser(raw, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      skipTextLinks: true,
    });
    return fromParsed(mail, raw, parsed);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { message: bareMessage(mail, raw), parts: [], problem };
  }
}

function fromParsed(mail: StoredMail, raw: Buffer, parsed: ParsedMail): ParsedMessage {
  const parts = parsed.attachments.map(partOf);
  const inline = new Set(parts.filter((_, at) => isInline(parsed.attachments[at])));
  const [to, cc] = [addresses(parsed.to), addresses(parsed.cc)];
  const bare = bareMessage(mail, raw);
  const message: Message = {
    ...bare,
    From: addresses(parsed.from)[0] ?? bare.From,
    To: to,
    Cc: cc,
    Bcc: withHidden(addresses(parsed.bcc), [...to, ...cc], mail),
    ReplyTo: addresses(parsed.replyTo),
    Subject: parsed.subject ?? "",
    Date: (parsed.date ?? new Date(mail.receivedAt)).toISOString(),
    Text: parsed.text ?? "",
    HTML: parsed.html === false ? "" : (parsed.html ?? ""),
    Inline: parts.filter((part) => inline.has(part)).map(withoutContent),
    Attachments: parts.filter((part) => !inline.has(part)).map(withoutContent),
  };
  return { message, parts, problem: undefined };
}

/** The fields of a mail that are known without its body. */
function bareMessage(mail: StoredMail, raw: Buffer): Message {
  const fields = headerFields(raw);
  const header = (name: string): string => fields.find((field) => field.name.toLowerCase() === name)?.value ?? "";
  return {
    ID: mail.id,
    MessageID: header("message-id").replace(/^<|>$/g, ""),
    From: { Name: "", Address: mail.from },
    To: mail.to.map((address) => ({ Name: "", Address: address })),
    Cc: [],
    Bcc: [],
    ReplyTo: [],
    ReturnPath: mail.from,
    Subject: header("subject"),
    ListUnsubscribe: listUnsubscribe(header("list-unsubscribe"), header("list-unsubscribe-post")),
    Date: new Date(mail.receivedAt).toISOString(),
    Tags: [],
    Username: mail.username,
    Text: "",
    HTML: "",
    Size: mail.size,
    Inline: [],
    Attachments: [],
  };
}

function addresses(headers: AddressObject | readonly AddressObject[] | undefined): Address[] {
  const list = headers === undefined ? [] : [headers].flat();
  return list
    .flatMap(({ value }) => value)
    .flatMap((entry) => entry.group ?? [entry])
    .map(({ name, address }) => ({ Name: name, Address: address ?? "" }));
}

function withHidden(bcc: readonly Address[], named: readonly Address[], mail: StoredMail): Address[] {
  const known = new Set([...bcc, ...named].map(({ Address }) => Address.toLowerCase()));
  const hidden = mail.to.filter((address) => !known.has(address.toLowerCase()));
  return [...bcc, ...hidden.map((address) => ({ Name: "", Address: address }))];
}

function isInline(part: ParsedPart | undefined): boolean {
  if (part === undefined || part.contentDisposition === "attachment") return false;
  return part.contentDisposition === "inline" || part.related === true;
}

function partOf(part: ParsedPart, at: number): Part {
  const digest = (algorithm: string): string => createHash(algorithm).update(part.content).digest("hex");
  return {
    PartID: part.partId ?? String(at + 1),
    FileName: part.filename ?? part.cid ?? "",
    ContentType: part.contentType,
    ContentID: part.cid ?? "",
    Size: part.content.length,
    Checksums: { MD5: digest("md5"), SHA1: digest("sha1"), SHA256: digest("sha256") },
    content: part.content,
  };
}

function withoutContent({ PartID, FileName, ContentType, ContentID, Size, Checksums }: Part): Attachment {
  return { PartID, FileName, ContentType, ContentID, Size, Checksums };
}
