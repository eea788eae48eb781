import { createTransport } from "nodemailer";
import { MINUTE, SECOND } from "../core/time.ts";
import { type Answer, enhancedCode, replyCode, type Stage } from "./answer.ts";
import type { Mail } from "./mail.ts";
import type { Smtp } from "./smtp.ts";

/** Hands mail to the next server. */
export interface Post extends AsyncDisposable {
  /**
   * Hands one mail over, once: exactly one recipient, no second try here. Every answer of the server, and none, is a value.
   * Throws only for a fault of ours. An abort gives up where it is.
   */
  send(mail: Mail, signal: AbortSignal): Promise<Answer>;
}

/** How long to wait, in milliseconds. */
export interface Waits {
  /** For the connection, TLS included. */
  readonly connect: number;
  readonly greeting: number;
  /** For any reply: what RFC 5321, section 4.5.3.2.6, asks for after the final dot, since giving up there means a repeat. */
  readonly reply: number;
  /** For all of it. The work's lease must be longer. */
  readonly attempt: number;
}

export const waits: Waits = { connect: 30 * SECOND, greeting: MINUTE, reply: 10 * MINUTE, attempt: 12 * MINUTE };

/** Mails by one connection before another is opened. */
const MAX_MAILS = 100;
/** Octets of one reply. */
const MAX_REPLY = 64 * 1024;

export interface PostOptions {
  readonly smtp: Smtp;
  /** Connections at once. */
  readonly maxConnections: number;
  /** MAIL FROM: where bounces go. */
  readonly bounces: string;
  /** Name in EHLO, where the SMTP_URL has none. */
  readonly name: string;
  readonly waits?: Waits;
}

/** Opens a pool of connections, the first when there is a mail. The only file that imports nodemailer. */
export const openPost = ({ smtp, maxConnections, bounces, name, waits: patience = waits }: PostOptions): Post => {
  const transport = createTransport({
    pool: true,
    ...{
      host: smtp.host,
      port: smtp.port,
      secure: smtp.secure,
      requireTLS: smtp.requireTLS,
      ignoreTLS: smtp.ignoreTLS,
    },
    ...{ name: smtp.name ?? name, tls: { rejectUnauthorized: smtp.verified } },
    ...(smtp.auth === null ? {} : { auth: { user: smtp.auth.user, pass: smtp.auth.pass } }),
    ...{ maxConnections, maxMessages: MAX_MAILS, maxResponseSize: MAX_REPLY },
    maxRequeues: 0, // whether and when to try again is for the queue to say
    ...{ connectionTimeout: patience.connect, greetingTimeout: patience.greeting, socketTimeout: patience.reply },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  // Mails whose last octet was read for sending, the final dot next to come.
  const handedOver = new WeakSet<object>();
  transport.use("stream", (mail, done) => {
    mail.message.processFunc((content) => content.once("end", () => handedOver.add(mail.data.headers as object)));
    done();
  });

  return {
    async send(mail, signal) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(patience.attempt)]);
      const headers = { ...mail.headers };
      try {
        const { response } = await transport.sendMail({ ...contentOf(mail, bounces), headers, signal: limited });
        return { kind: "accepted", response, queueId: queueId(response) };
      } catch (error) {
        return refusal(error as SmtpError, handedOver.has(headers));
      }
    },
    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
};

const contentOf = (mail: Mail, bounces: string) => ({
  envelope: { from: bounces, to: [mail.to.address] },
  ...{ from: { ...mail.from }, to: { ...mail.to }, subject: mail.subject, text: mail.text, html: mail.html },
  ...{ messageId: mail.messageId, inReplyTo: mail.thread, references: mail.thread, date: new Date(mail.date) },
  baseBoundary: mail.messageId.replace(/[^a-z0-9]/gi, "").slice(0, 32),
});

/** Postfix, Exim, Haraka and others: "queued as 4cQ…", "id=1rX…"; Amazon: "Ok 0100…". */
const queueId = (response: string): string | null =>
  (/queued as ([\w.-]+)/i.exec(response) ??
    /\bid=([\w.-]+)/i.exec(response) ??
    /^250 Ok ([\w.-]{20,})$/i.exec(response))?.[1] ?? null;

/** What nodemailer rejects with: `code` its own, `originalCode` Node's, `command` where it stood. */
interface SmtpError extends Error {
  readonly code?: string;
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
}

/** What went wrong on the way to or with the server; any other code is a fault of ours. */
const CONVERSATION = [
  "ECONNECTION",
  "ETIMEDOUT",
  "ESOCKET",
  "EDNS",
  "ETLS",
  "EPROTOCOL",
  "EAUTH",
  "EABORT",
  "EENVELOPE",
  "EMESSAGE",
];
/** Node's codes for a certificate or a handshake that won't do. */
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_|EPROTO$)/;
const STAGES: Readonly<Record<string, Stage>> = { "MAIL FROM": "mail", "RCPT TO": "rcpt", DATA: "data" };

const refusal = (error: SmtpError, handedOver: boolean): Answer => {
  const { code = "", command = "", message } = error;
  // Refused before a word was said to the server: what was asked for makes no sense.
  const nonsense = command === "API" && (code === "EENVELOPE" || code === "EMESSAGE");
  if (code !== "" && (nonsense || !CONVERSATION.includes(code))) throw error;
  const stage = stageOf(error, handedOver);
  const reply = typeof error.response === "string" ? error.response : null;
  return {
    kind: "refused",
    stage,
    code: reply === null ? null : replyCode(reply),
    enhanced: reply === null ? null : enhancedCode(reply),
    text:
      reply ??
      (code === "ECONNECTION" && command === "" ? "the connection was closed before the mail was sent" : message),
    perhapsTaken: handedOver && reply === null,
  };
};

const stageOf = ({ code, originalCode = "", command = "" }: SmtpError, handedOver: boolean): Stage => {
  if (code === "EAUTH" || command.startsWith("AUTH")) return "auth";
  if (code === "ETLS" || command === "STARTTLS" || TLS.test(originalCode)) return "tls";
  return STAGES[command] ?? (handedOver ? "data" : "connect");
};
