import ipaddr from "ipaddr.js";

/** Longest URL of an endpoint, in characters. */
export const MAX_URL_LENGTH = 2_048;

type Address = ReturnType<typeof ipaddr.parse>;
type Network = readonly [Address, number];

/** What may be called although it is not on the public Internet. */
export type Networks = readonly Network[];

/** The only part of IPv6 that IANA has given out for public use (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/**
 * Public addresses behind which a cloud keeps its own services. Other metadata addresses are link-local (169.254.169.254),
 * unique local (fd00:ec2::254), shared (100.100.100.200) or reserved (192.0.0.192) and are refused for that.
 */
const METADATA = ["168.63.129.16/32"].map((cidr) => ipaddr.parseCIDR(cidr));

export const isNetwork = (cidr: string): boolean => ipaddr.isValidCIDR(cidr);

/** @param cidrs each as `isNetwork` wants it */
export const networks = (cidrs: readonly string[]): Networks => cidrs.map((cidr) => ipaddr.parseCIDR(cidr));

export const isAddress = (host: string): boolean => ipaddr.isValid(host);

/**
 * Whether an address may be connected to: public unicast, or in one of the networks. Refused are private, loopback,
 * link-local, shared (CGNAT), multicast, broadcast, unspecified, reserved and documentation ranges, metadata services,
 * and every IPv6 form that hides an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo. What is no address at all
 * may not be connected to either.
 */
export const mayCall = (address: string, allowed: Networks): boolean => {
  if (!ipaddr.isValid(address)) return false;
  if (isWithin(address, allowed)) return true;
  if (isWithin(address, METADATA)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === "ipv6" && !within(parsed, GLOBAL_UNICAST)) return false;
  return parsed.range() === "unicast";
};

/** False for what is no address. */
export const isWithin = (address: string, some: Networks): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return some.some((network) => within(parsed, network));
};

/** `match` throws where one is IPv4 and the other IPv6. */
const within = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match([network, bits] as never);

/** The host of a URL without the brackets of IPv6. URL itself writes 0x7f.1 and 2130706433 as 127.0.0.1. */
export const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** What is wrong with the URL of an endpoint, to be told to who gave it; null if nothing. Names are resolved at each call. */
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
