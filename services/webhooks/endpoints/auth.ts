import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "../../platform/app/http.ts";
import { bareHost, isWithin, networks } from "../call/networks.ts";

/** Who may manage endpoints. */
export interface Gate {
  readonly token: string | undefined;
  readonly open: "no" | "local";
}

/** Nobody may: the routes need not be there. */
export const isShut = ({ token, open }: Gate): boolean => token === undefined && open === "no";

/** Whether a request may pass: it bears the token (RFC 6750), or it is of this machine where that is enough. */
export const mayPass = (request: HttpRequest, { token, open }: Gate): boolean =>
  (token !== undefined && bears(request.headers.authorization, token)) || (open === "local" && isLocal(request));

/** Compared by hashes in constant time: neither the token nor its length shows in how long it takes. */
const bears = (authorization: string | undefined, token: string): boolean => {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  return given !== undefined && timingSafeEqual(sha256(given), sha256(token));
};

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

const LOOPBACK = networks(["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"]);
const isLoopback = (address: string | undefined): boolean => address !== undefined && isWithin(address, LOOPBACK);

/**
 * Both ends of the connection are loopback, and the client named it so: a page in a browser whose own name was made to
 * lead here (DNS rebinding) sends that name as Host.
 */
const isLocal = ({ socket, headers }: HttpRequest): boolean => {
  const url = URL.parse(`http://${headers.host}`);
  const name = url === null ? undefined : bareHost(url);
  return (
    isLoopback(socket.localAddress) && isLoopback(socket.remoteAddress) && (name === "localhost" || isLoopback(name))
  );
};
