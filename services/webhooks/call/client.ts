import { Agent, buildConnector, type Dispatcher } from "undici";
import { messageOf } from "../../platform/contract/failure.ts";
import { type Millis, SECOND } from "../../platform/contract/time.ts";
import { isAddress, mayCall, type Networks } from "./networks.ts";
import { ForbiddenAddress, guardedLookup, type Resolve } from "./resolve.ts";
import type { FailureKind, CallResult } from "../settle.ts";

/**
 * Limits of one call, in milliseconds: the connection with name and TLS, which undici doesn't break off for anything
 * else; the answer's head; a pause in its body; all of it.
 */
const CONNECT_TIMEOUT = 5 * SECOND;
const HEADERS_TIMEOUT = 15 * SECOND;
const BODY_TIMEOUT = 5 * SECOND;
/** Longer no call takes. */
export const CALL_TIMEOUT: Millis = 20 * SECOND;
/** Bytes of the answer's head. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Bytes of the answer's body that are read, at least, before the connection is cut. */
const MAX_BODY_BYTES = 16 * 1024;
/** Characters of it that are kept, and of anything else the other side had its say in. */
export const MAX_EXCERPT = 1_000;
const MAX_FIELD = 300;

/** Limits that a test shortens. */
export interface Patience {
  readonly connect: Millis;
  readonly headers: Millis;
  readonly body: Millis;
  readonly total: Millis;
}

const patient: Patience = {
  connect: CONNECT_TIMEOUT,
  headers: HEADERS_TIMEOUT,
  body: BODY_TIMEOUT,
  total: CALL_TIMEOUT,
};

/** One POST of JSON. */
export interface Request {
  /** As `urlProblem` wants it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Calls endpoints over HTTP/1.1 and keeps their connections for a while. The only file that imports undici. */
export interface Caller extends AsyncDisposable {
  /**
   * One request; redirects are not followed. Whatever the world answers is a value. The status alone decides: once it
   * is there, a body that doesn't end is cut off, not held against it.
   */
  post(request: Request, signal: AbortSignal): Promise<CallResult>;
}

/** @param allowed networks that may be called beside the public Internet */
export const caller = (
  allowed: Networks,
  { resolve, patience = patient }: { readonly resolve?: Resolve; readonly patience?: Patience } = {},
): Caller => {
  const agent = new Agent({
    connect: guardedConnect(allowed, patience, resolve),
    headersTimeout: patience.headers,
    bodyTimeout: patience.body,
    maxHeaderSize: MAX_HEAD_BYTES,
  });
  return {
    async post({ url, headers, body }, stop) {
      const started = performance.now();
      const total = AbortSignal.timeout(patience.total);
      const duration = (): number => Math.round(performance.now() - started);
      try {
        const { origin, pathname, search } = new URL(url);
        const answer = await agent.request({
          origin,
          path: pathname + search,
          method: "POST",
          body,
          headers: { "user-agent": "whileaway-webhooks", "content-type": "application/json", ...headers },
          signal: AbortSignal.any([stop, total]),
        });
        const { statusCode: status } = answer;
        const [retryAfter, location] = [field(answer, "retry-after"), field(answer, "location")];
        return { status, retryAfter, location, excerpt: await excerptOf(answer.body), duration: duration() };
      } catch (error) {
        if (stop.aborted) return { failure: "stopped", message: "the sender stops", duration: duration() };
        if (total.aborted)
          return { failure: "timeout", message: `no answer in ${patience.total} ms`, duration: duration() };
        return { failure: kindOf(error), message: plain(reasonOf(error), MAX_FIELD), duration: duration() };
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
};

/** Every connection is made here, whatever asked for it: no address is connected to that may not be called. */
const guardedConnect = (
  allowed: Networks,
  patience: Patience,
  resolve: Resolve | undefined,
): buildConnector.connector => {
  const lookup = guardedLookup(allowed, resolve);
  const connect = buildConnector({ lookup, timeout: patience.connect, allowH2: false });
  return (options, callback) => {
    const { hostname } = options;
    if (isAddress(hostname) && !mayCall(hostname, allowed))
      queueMicrotask(() => callback(new ForbiddenAddress(hostname, [hostname]), null));
    else connect(options, callback);
  };
};

const excerptOf = async (body: Dispatcher.ResponseData["body"]): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) break; // ends the connection
    }
  } catch {
    // It broke or took too long: what came is kept.
  }
  return plain(new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES)), MAX_EXCERPT);
};

const field = ({ headers }: Dispatcher.ResponseData, name: string): string | null => {
  const [first] = [headers[name]].flat();
  return first === undefined ? null : plain(first, MAX_FIELD);
};

/** Bounded, and without the NUL that PostgreSQL can't hold. */
const plain = (text: string, limit: number): string => text.replaceAll("\0", "").slice(0, limit).toWellFormed();

/** By the codes of undici, Node's net and dns, and OpenSSL. */
const kinds: readonly (readonly [RegExp, FailureKind])[] = [
  [/^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT)$/, "timeout"],
  [/^(ENOTFOUND|ENODATA|EAI_)/, "name"],
  [/^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL)$/, "connect"],
  [/^(EPROTO|ERR_SSL|ERR_TLS|CERT|DEPTH|SELF_SIGNED|UNABLE_TO|HOSTNAME|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/, "tls"],
];

/** Where several addresses were tried in vain, Node says only the code. */
const reasonOf = (error: unknown): string => messageOf(error) || String((error as { readonly code?: unknown }).code);

const kindOf = (error: unknown): FailureKind => {
  if (error instanceof ForbiddenAddress) return "forbidden";
  const { code } = error as { readonly code?: unknown };
  return (typeof code === "string" && kinds.find(([pattern]) => pattern.test(code))?.[1]) || "broken";
};
