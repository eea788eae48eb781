// Recipients that misbehave on purpose, as the field's test sinks have them. README.md lists them for users.

/** Longest wait a `slow-` address may ask for, in milliseconds. */
export const SLOW_LIMIT_MS = 60_000;

/** An SMTP reply (RFC 5321, section 4.2) with its enhanced status code (RFC 3463). */
export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** The behaviour that a recipient's address asks the server for. */
export type Knob =
  /** Refuse at RCPT TO. */
  | { readonly at: "rcpt"; readonly reply: Reply }
  /** Refuse after the mail's final dot. */
  | { readonly at: "data"; readonly reply: Reply }
  /** Refuse the first `times` attempts at RCPT TO, then accept. */
  | { readonly at: "greylist"; readonly times: number; readonly reply: Reply }
  /** Cut the connection instead of answering the final dot; `kept` says whether the mail was stored all the same. */
  | { readonly at: "cut"; readonly kept: boolean }
  /** Answer RCPT TO this late. */
  | { readonly at: "slow"; readonly ms: number };

const REFUSAL = /^(data-)?(reject|defer)-(\d{3})(?:-(\d\.\d{1,3}\.\d{1,3}))?$/;

/** The knob of an address, by its local part without any `+tag`; undefined for all others. */
export function knobOf(address: string): Knob | undefined {
  const local = address.slice(0, address.lastIndexOf("@")).toLowerCase().split("+")[0] ?? "";
  const refusal = REFUSAL.exec(local);
  if (refusal !== null) return refusalOf(refusal);
  const greylist = /^greylist-(\d{1,2})$/.exec(local);
  if (greylist !== null)
    return {
      at: "greylist",
      times: Number(greylist[1]),
      reply: { code: 451, text: "4.7.1 Greylisted, try again later" },
    };
  const slow = /^slow-(\d{1,6})$/.exec(local);
  if (slow !== null) return { at: "slow", ms: Math.min(Number(slow[1]), SLOW_LIMIT_MS) };
  if (local === "cut-kept" || local === "cut-lost") return { at: "cut", kept: local === "cut-kept" };
  return undefined;
}

function refusalOf([, data, kind, digits, enhanced]: RegExpExecArray): Knob | undefined {
  const code = Number(digits);
  const permanent = kind === "reject";
  // A reject answers 5xx and a defer 4xx; any other name is an ordinary address.
  if (Math.trunc(code / 100) !== (permanent ? 5 : 4)) return undefined;
  const [status, words] = MEANINGS[code] ?? [permanent ? "5.0.0" : "4.0.0", "Refused on request"];
  return { at: data === undefined ? "rcpt" : "data", reply: { code, text: `${enhanced ?? status} ${words}` } };
}

const MEANINGS: Readonly<Record<number, readonly [status: string, words: string]>> = {
  421: ["4.4.2", "Service not available, closing the connection"],
  450: ["4.2.1", "Mailbox busy, try again later"],
  451: ["4.3.0", "Local error in processing, try again later"],
  452: ["4.2.2", "Mailbox full for now"],
  550: ["5.1.1", "No such user here"],
  551: ["5.1.6", "User has moved"],
  552: ["5.2.2", "Mailbox full"],
  553: ["5.1.3", "Bad mailbox name"],
  554: ["5.7.1", "Message refused by policy"],
};
