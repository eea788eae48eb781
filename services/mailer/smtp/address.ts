/** An address with the name that is shown beside it; "" for none. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Longest address, in octets of UTF-8: a path of 256 without its brackets (RFC 5321, section 4.5.3.1.3). */
const MAX_OCTETS = 254;

/** Neither white space nor controls, formats, halves of a pair (`C`), nor what ends an address in SMTP or a header. */
const LOCAL = /^[^\s\p{C}<>()[\]\\,;:"@]+$/u;
/** A label of a host name, in any script (RFC 5890: U-labels); nodemailer turns it into Punycode. */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?$/u;

/**
 * Why an address can't be put in an envelope, or null if it can. Stricter than RFC 5321 where that is safer: neither
 * quoted local parts nor domain literals; no stricter where servers differ (dots of the local part, its length).
 */
export const addressProblem = (address: string): string | null => {
  if (address === "") return "the address is empty";
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(address)) return "the address contains control characters";
  const at = address.lastIndexOf("@");
  if (at < 0) return "the address has no @";
  if (at === 0) return "the address has nothing before its @";
  if (!LOCAL.test(address.slice(0, at))) return "the address has characters before its @ that don't belong there";
  if (!isDomain(address.slice(at + 1))) return "the address has no valid domain after its @";
  if (address.length * 3 > MAX_OCTETS && new TextEncoder().encode(address).length > MAX_OCTETS)
    return `the address is longer than ${MAX_OCTETS} octets`;
  return null;
};

export const isDomain = (domain: string): boolean => domain.split(".").every((label) => LABEL.test(label));

/** What stands behind an address's @. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);
