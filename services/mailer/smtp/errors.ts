import { type Answer, enhancedCode, replyCode, type Stage } from "./reply.ts";

/** Postfix, Exim, Haraka and others: "queued as 4cQ…", "id=1rX…"; Amazon: "Ok 0100…". */
export const queueId = (response: string): string | null =>
  (/queued as ([\w.-]+)/i.exec(response) ??
    /\bid=([\w.-]+)/i.exec(response) ??
    /^250 Ok ([\w.-]{20,})$/i.exec(response))?.[1] ?? null;

/** What nodemailer rejects with: `code` its own, `originalCode` Node's, `command` where it stood. */
export interface SmtpError extends Error {
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

/** The answer in it. Throws what is none, and so a fault of ours. @param handedOver all but the final dot was sent */
export const refusedAnswer = (error: SmtpError, handedOver: boolean): Answer => {
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
