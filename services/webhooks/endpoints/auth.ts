import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "../../platform/app/http.ts";
import { bareHost, isWithin, networks } from "../call/networks.ts";

/** Access to the management of endpoints: by token, or open to programs of this machine. */
export interface Gate {
  readonly token: string | undefined;
  readonly open: "no" | "local";
}

/** Checks that nobody has access: the routes need not exist. */
export const isShut = ({ token, open }: Gate): boolean => token === undefined && open === "no";

/** Checks that a request has access: it bears the token (RFC 6750), or comes from this machine where that is enough. */
export const mayPass = (request: HttpRequest, { token, open }: Gate): boolean =>
  (token !== undefined && bears(request.headers.authorization, token)) || (open === "local" && isLocal(request));

/** Compares hashes in constant time: the time taken shows neither the token nor its length. */
const bears = (authorization: string | undefined, token: string): boolean => {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return presented !== undefined && timingSafeEqual(sha256(presented), sha256(token));
};

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

const LOOPBACK = networks(["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"]);
const isLoopback = (address: string | undefined): boolean => address !== undefined && isWithin(address, LOOPBACK);

/**
 * Checks that both ends of the connection are loopback, and that Host names loopback too. A web page whose own host
 * name was made to resolve to this machine (DNS rebinding) sends that name as Host.
 */
const isLocal = ({ socket, headers }: HttpRequest): boolean => {
  const url = URL.parse(`http://${headers.host}`);
  const name = url === null ? undefined : bareHost(url);
  return (
    isLoopback(socket.localAddress) && isLoopback(socket.remoteAddress) && (name === "localhost" || isLoopback(name))
  );
};
