/**
 * Stage at which a conversation with the server ended. `connect`: no connection, no greeting, or a broken connection.
 * `tls`: no secure connection. Otherwise the command refused; `data` covers the content too.
 */
export type Stage = "connect" | "tls" | "auth" | "mail" | "rcpt" | "data";

export interface Accepted {
  readonly kind: "accepted";
  /** The reply to the final dot. */
  readonly response: string;
  /** Queue id of the mail on the server, if the reply has one. */
  readonly queueId: string | null;
}

export interface Refused {
  readonly kind: "refused";
  readonly stage: Stage;
  /** Reply code (RFC 5321, section 4.2), null without a reply. */
  readonly code: number | null;
  /** Enhanced status code of the reply (RFC 3463, RFC 2034), if it has one. */
  readonly enhanced: string | null;
  /** The reply, or the error without a reply. */
  readonly text: string;
  /** The whole mail was sent and no reply came: the server may have taken it (RFC 5321, section 4.5.3.2.6). */
  readonly perhapsTaken: boolean;
}

/** Answer of the server to a mail. */
export type Answer = Accepted | Refused;

/** Kind of bounce. hard: no such mailbox. block: a policy of the server. soft: any other reason, which may pass. */
export type BounceReason = "hard" | "soft" | "block";

/** `later`: try again, by the schedule. `ours`: our settings are wrong, so nothing bounces. */
export type Verdict = "sent" | "later" | "ours" | BounceReason;

/** Enhanced codes of a wrong address (RFC 3463, section 3.2; 5.1.10 is the null MX of RFC 7505). */
const NO_SUCH_ADDRESS = new Set(["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]);
/** Reply codes of a wrong address, to RCPT and without an enhanced code (RFC 5321, section 4.2.3). */
const NO_SUCH_MAILBOX = new Set([550, 551, 553]);
/** Reply codes for authentication or encryption that is missing, too weak or refused (RFC 4954, section 6). */
const NOT_LET_IN = new Set([530, 534, 535, 538]);
/** Reply code for commands in the wrong order: another session may succeed. */
const BAD_SEQUENCE = 503;
/** Text of a server that does not relay for us. It is the commonest fault of a configuration, reported as policy (5.7.1). */
const NO_RELAY = /\brelay(?:ing)?\b/i;
const POLICY = /^5\.7\./;

/** Decides by the answer: sent, try again later, a fault of ours, or the kind of bounce. */
export const verdictOf = (answer: Answer): Verdict => {
  if (answer.kind === "accepted") return "sent";
  const { stage, code, enhanced, text } = answer;
  if (stage === "tls" || stage === "auth" || (code !== null && NOT_LET_IN.has(code))) return "ours";
  if (code === null ? stage === "mail" : code >= 500 && stage !== "rcpt" && stage !== "data") return "ours";
  if (code === null || code < 500 || code === BAD_SEQUENCE) return "later";
  if (stage === "rcpt" && (enhanced === null || POLICY.test(enhanced)) && NO_RELAY.test(text)) return "ours";
  if (enhanced === null) return stage === "rcpt" && NO_SUCH_MAILBOX.has(code) ? "hard" : "soft";
  if (NO_SUCH_ADDRESS.has(enhanced)) return "hard";
  return POLICY.test(enhanced) ? "block" : "soft";
};

/** Reads the reply code at the head of a reply's first line. */
export const replyCode = (reply: string): number | null => {
  const code = /^[2-5]\d\d(?=[ -]|$)/.exec(reply)?.[0];
  return code === undefined ? null : Number(code);
};

/** Reads the enhanced status code after the reply code. Where their classes differ, the reply code decides on a retry. */
export const enhancedCode = (reply: string): string | null =>
  /^[2-5]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(reply)?.[1] ?? null;
