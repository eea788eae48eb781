import ipaddr from "ipaddr.js";

/** Maximum length of an endpoint's URL, in characters. */
export const MAX_URL_LENGTH = 2_048;

type Address = ReturnType<typeof ipaddr.parse>;
type Network = readonly [Address, number];

/** Networks that may be called although they are not on the public Internet. */
export type Networks = readonly Network[];

/** The only range of IPv6 that IANA has assigned to public use (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/**
 * Public addresses of a cloud's own services. Other metadata addresses are refused by their range: link-local
 * (169.254.169.254), unique local (fd00:ec2::254), shared (100.100.100.200) and reserved (192.0.0.192).
 */
const METADATA = ["168.63.129.16/32"].map((cidr) => ipaddr.parseCIDR(cidr));

export const isNetwork = (cidr: string): boolean => ipaddr.isValidCIDR(cidr);

/** Parses networks. @param cidrs each in CIDR notation, checked by `isNetwork` */
export const networks = (cidrs: readonly string[]): Networks => cidrs.map((cidr) => ipaddr.parseCIDR(cidr));

export const isAddress = (host: string): boolean => ipaddr.isValid(host);

/**
 * Checks that an address may be called: it is public unicast, or in an allowed network. Refused are private, loopback,
 * link-local, shared (CGNAT), multicast, broadcast, unspecified, reserved and documentation ranges, metadata services,
 * and every IPv6 form of an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo. A text that is no address is refused.
 */
export const mayCall = (address: string, allowed: Networks): boolean => {
  if (!ipaddr.isValid(address)) return false;
  if (isWithin(address, allowed)) return true;
  if (isWithin(address, METADATA)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === "ipv6" && !within(parsed, GLOBAL_UNICAST)) return false;
  return parsed.range() === "unicast";
};

/** Checks that an address is in one of the networks; false for a text that is no address. */
export const isWithin = (address: string, among: Networks): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return among.some((network) => within(parsed, network));
};

/** Checks the kind first: `match` throws for an IPv4 address and an IPv6 network, or the reverse. */
const within = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match([network, bits] as never);

/** Returns the host of a URL without the brackets of IPv6. URL itself turns 0x7f.1 and 2130706433 into 127.0.0.1. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** Says the fault of an endpoint's URL to its owner; null if it has none. Host names are checked at each call instead. */
export const urlProblem = (text: string, allowed: Networks): string | null => {
  if (text.length > MAX_URL_LENGTH) return `is longer than ${MAX_URL_LENGTH} characters`;
  const url = URL.parse(text);
  if (url === null) return "is not an absolute URL";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "is neither https nor http";
  if (url.username !== "" || url.password !== "")
    return "contains a user name or password; the signature tells who calls";
  const host = bareHost(url);
  if (isAddress(host) && !mayCall(host, allowed))
    return `is at ${host}, which is not a public address; WEBHOOK_ALLOWED_NETWORKS can allow it`;
  return null;
};
