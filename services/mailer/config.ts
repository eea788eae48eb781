import { optional, secret, text, url, type Variable, whole } from "../platform/app/config.ts";
import { addressProblem, domainOf, isDomain, type Mailbox } from "./smtp/address.ts";
import { line } from "./content/tidy.ts";
import { smtpProblem } from "./smtp/url.ts";

/** Maximum length of the sender's name, in UTF-16 code units. */
const MAX_SENDER_NAME = 120;
/** Scheme and host of a URL, without placeholders: an id must not become part of the host. */
const ORIGIN = /^https?:\/\/[^/?#{}\\]+[/?#]/i;

/** Parses `Name <address>`, `"Name" <address>` or `address`; null where the text has none of these forms. */
export const parseMailbox = (value: string): Mailbox | null => {
  const match = /^\s*(?:"([^"<>]*)"|([^"<>]*?))\s*<([^<>]*)>\s*$/.exec(value);
  const name = match?.[1] ?? match?.[2] ?? "";
  const address = match === null ? value.trim() : (match[3] ?? "");
  if (addressProblem(address) !== null || !URL.canParse(`http://${domainOf(address)}`)) return null;
  if (line(name, MAX_SENDER_NAME) !== name.trim()) return null;
  return { name: name.trim(), address };
};

const mailbox = (about: string): Variable<Mailbox> => ({
  about,
  example: "Whileaway <chat@example.com>",
  schema: text(about)
    .schema.refine((value) => parseMailbox(value) !== null, { error: "is not of the form Name <address>" })
    .transform((value) => parseMailbox(value) ?? { name: "", address: value }),
});

const domain = (about: string): Variable<string> => ({
  about,
  schema: text(about).schema.refine((value) => /^[\x21-\x7e]+$/.test(value) && isDomain(value), {
    error: "is not a domain name",
  }),
});

const joinUrl = (about: string): Variable<string> => {
  const web = url(about, ["http:", "https:"]);
  return {
    ...web,
    example: "https://chat.example.com/c/{conversationId}",
    schema: web.schema
      .refine((value) => value.includes("{conversationId}"), { error: "has no {conversationId}" })
      .refine((value) => !/[{}]/.test(value.replaceAll(/\{(conversationId|userId)\}/g, "")), {
        error: "has a placeholder other than {conversationId} and {userId}",
      })
      .refine((value) => ORIGIN.test(value), { error: "has a placeholder in its host" }),
  };
};

const smtpUrl = (about: string): Variable<string> => ({
  ...secret(about), // a URL that isn't marked secret is printed with its password when it is malformed
  example: "smtps://user:password@smtp.example.com",
  schema: text(about).schema.superRefine((value, context) => {
    const problem = smtpProblem(value);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  }),
});

export const variables = {
  SMTP_URL: smtpUrl(
    "mail server: smtp:// (STARTTLS where offered, required with credentials) or smtps://, " +
      "with ?requireTLS, ignoreTLS, tls.rejectUnauthorized (true, false), name (in EHLO)",
  ),
  MAIL_FROM: mailbox("sender of the mail, as Name <address>; bounces go to the address"),
  MAIL_DOMAIN: optional(domain("right-hand side of the Message-IDs; without it, the domain of MAIL_FROM")),
  JOIN_URL: joinUrl("URL of a conversation in the chat, with {conversationId} and, optionally, {userId}"),
  PRODUCT_NAME: text("name of the chat in the mail", "Whileaway"),
  MAIL_CONCURRENCY: whole("mails under way at once in a process, each over its own connection", 1, 100, 5),
};
