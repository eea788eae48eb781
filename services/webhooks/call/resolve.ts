import { lookup as systemLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { mayCall, type Networks } from "./networks.ts";

/** A host whose addresses may not be called. */
export class ForbiddenAddress extends Error {
  override readonly name = "ForbiddenAddress";
  constructor(host: string, addresses: readonly string[]) {
    const which = addresses.length === 1 && addresses[0] === host ? host : `${host} (${addresses.join(", ")})`;
    super(`${which} is not a public address; WEBHOOK_ALLOWED_NETWORKS can allow it`);
  }
}

/** Resolves a name to all its addresses. Throws as `dns.lookup` does. */
export type Resolve = (
  hostname: string,
  options: { readonly family?: number; readonly hints?: number },
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const system: Resolve = (hostname, options) => systemLookup(hostname, { ...options, all: true });

/**
 * Makes a lookup for `net.connect` that returns only addresses that may be called. The address checked is the address
 * connected to, so DNS rebinding gains nothing. Fails with ForbiddenAddress where no address is left. `net.connect` uses
 * no lookup for a host that is an address: the caller of `net.connect` has to check that host.
 */
export const guardedLookup =
  (allowed: Networks, resolve: Resolve = system): LookupFunction =>
  (hostname, options, callback) => {
    const family = options.family === "IPv4" ? 4 : options.family === "IPv6" ? 6 : (options.family ?? 0);
    const found = resolve(hostname, { family, ...(options.hints === undefined ? {} : { hints: options.hints }) });
    found.then(
      (addresses) => {
        const callable = addresses.filter(({ address }) => mayCall(address, allowed));
        const [first] = callable;
        if (first === undefined)
          callback(
            new ForbiddenAddress(
              hostname,
              addresses.map(({ address }) => address),
            ),
            "",
            0,
          );
        else if (options.all) callback(null, [...callable]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
