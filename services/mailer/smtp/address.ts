/** A mail address and its display name; "" for no name. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Maximum length of an address, in octets of UTF-8: a path of 256 without its brackets (RFC 5321, section 4.5.3.1.3). */
const MAX_OCTETS = 254;

/** Local part: no white space, no control, format or surrogate (`C`), no delimiter of SMTP or of a header. */
const LOCAL = /^[^\s\p{C}<>()[\]\\,;:"@]+$/u;
/** Label of a host name, in any script (RFC 5890: U-labels); nodemailer turns it into Punycode. */
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?$/u;

/**
 * Says why an address can't be in an envelope; null if it can. Stricter than RFC 5321 where that is safer: no quoted
 * local part, no domain literal. No stricter where servers differ: dots of the local part, and its length.
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

/** Returns the domain of an address. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1);
