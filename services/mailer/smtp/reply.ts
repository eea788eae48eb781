/**
 * How far a conversation with the server got. `connect`: no connection, no greeting, or it broke later on; `tls`: no
 * secure one; then the command that was refused, `data` for the content too.
 */
export type Stage = "connect" | "tls" | "auth" | "mail" | "rcpt" | "data";

export interface Accepted {
  readonly kind: "accepted";
  /** The reply to the final dot. */
  readonly response: string;
  /** What the server calls the mail, if the reply says so. */
  readonly queueId: string | null;
}

export interface Refused {
  readonly kind: "refused";
  readonly stage: Stage;
  /** Reply code (RFC 5321, section 4.2), null where the server said nothing. */
  readonly code: number | null;
  /** Enhanced status code of the reply (RFC 3463, RFC 2034), if there is one. */
  readonly enhanced: string | null;
  /** The reply, or what went wrong. */
  readonly text: string;
  /** All was handed over and no reply came: the server may have taken the mail (RFC 5321, section 4.5.3.2.6). */
  readonly perhapsTaken: boolean;
}

/** What a server made of a mail. */
export type Answer = Accepted | Refused;

/** hard: no such mailbox; block: their policy; soft: anything else that may be otherwise another day. */
export type BounceReason = "hard" | "soft" | "block";

/** `later`: try again, within patience. `ours`: our settings are wrong, which is nobody's bounce. */
export type Verdict = "sent" | "later" | "ours" | BounceReason;

/** The address itself is wrong (RFC 3463, section 3.2; 5.1.10 is RFC 7505's null MX). */
const NO_SUCH_ADDRESS = new Set(["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]);
/** The same without an enhanced code, as a reply to RCPT (RFC 5321, section 4.2.3). */
const NO_SUCH_MAILBOX = new Set([550, 551, 553]);
/** Authentication or encryption required, too weak, or refused (RFC 4954, section 6). */
const NOT_LET_IN = new Set([530, 534, 535, 538]);
/** Commands in the wrong order: the session went astray, another may not. */
const BAD_SEQUENCE = 503;
/** The server does not relay for us: the commonest fault of a configuration, told as policy (5.7.1). */
const NO_RELAY = /\brelay(?:ing)?\b/i;
const POLICY = /^5\.7\./;

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

/** The reply code at the head of a reply's first line. */
export const replyCode = (reply: string): number | null => {
  const code = /^[2-5]\d\d(?=[ -]|$)/.exec(reply)?.[0];
  return code === undefined ? null : Number(code);
};

/** The enhanced status code behind it. Their classes may differ: it is the reply code that says whether to try again. */
export const enhancedCode = (reply: string): string | null =>
  /^[2-5]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(reply)?.[1] ?? null;
