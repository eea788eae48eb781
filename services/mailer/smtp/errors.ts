import { type Answer, enhancedCode, replyCode, type Stage } from "./reply.ts";

/** Finds the queue id in a reply. Postfix, Exim, Haraka and others: "queued as 4cQ…", "id=1rX…"; Amazon: "Ok 0100…". */
export const queueId = (response: string): string | null =>
  (/queued as ([\w.-]+)/i.exec(response) ??
    /\bid=([\w.-]+)/i.exec(response) ??
    /^250 Ok ([\w.-]{20,})$/i.exec(response))?.[1] ?? null;

/** Error of nodemailer: `code` is its own, `originalCode` is Node's, `command` is the SMTP command that failed. */
export interface SmtpError extends Error {
  readonly code?: string;
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
}

/** Codes of failures in the conversation with the server; any other code is a fault of ours. */
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
/** Node's codes for a bad certificate or handshake. */
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_|EPROTO$)/;
const STAGES: Readonly<Record<string, Stage>> = { "MAIL FROM": "mail", "RCPT TO": "rcpt", DATA: "data" };

/**
 * Turns an error into the answer "refused"; throws an error that is a fault of ours.
 * @param handedOver the whole mail was handed over, but for the final dot
 */
export const refusedAnswer = (error: SmtpError, handedOver: boolean): Answer => {
  const { code = "", command = "", message } = error;
  // nodemailer itself refused the mail before it opened a connection.
  const isInvalid = command === "API" && (code === "EENVELOPE" || code === "EMESSAGE");
  if (code !== "" && (isInvalid || !CONVERSATION.includes(code))) throw error;
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
