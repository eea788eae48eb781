import { Agent, buildConnector, type Dispatcher } from "undici";
import { messageOf } from "../../platform/contract/failure.ts";
import { type Millis, SECOND } from "../../platform/contract/time.ts";
import { isAddress, mayCall, type Networks } from "./networks.ts";
import { ForbiddenAddress, guardedLookup, type Resolve } from "./resolve.ts";
import type { FailureKind, CallResult } from "../settle.ts";

/**
 * Limits of one call, in milliseconds: the connection, including name resolution and TLS, which undici ends for no other
 * reason; the answer's head; a pause in its body; the whole call.
 */
const CONNECT_TIMEOUT = 5 * SECOND;
const HEADERS_TIMEOUT = 15 * SECOND;
const BODY_TIMEOUT = 5 * SECOND;
/** Limit of the whole call. */
export const CALL_TIMEOUT: Millis = 20 * SECOND;
/** Maximum length of the answer's head, in bytes. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Bytes of the answer's body after which the connection is cut. */
const MAX_BODY_BYTES = 16 * 1024;
/** Characters kept of the body, and of any other text from the endpoint. */
export const MAX_EXCERPT = 1_000;
const MAX_FIELD = 300;

/** Limits of one call, which a test can shorten. */
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

/** A POST of JSON. */
export interface Request {
  /** A URL without a `urlProblem`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Calls endpoints over HTTP/1.1 and reuses their connections. Only this file imports undici. */
export interface Caller extends AsyncDisposable {
  /**
   * Makes one request, without following redirects. Every answer and every failure is a value. The status alone decides:
   * once it has arrived, an endless body is cut off and doesn't fail the call.
   */
  post(request: Request, signal: AbortSignal): Promise<CallResult>;
}

/** Opens a caller. @param allowed networks that may be called beside the public Internet */
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

/** Makes every connection of the caller, and refuses addresses that may not be called. */
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
      if (size >= MAX_BODY_BYTES) break; // breaking off the loop ends the connection
    }
  } catch {
    // The connection broke or the body took too long: the chunks so far are kept.
  }
  return plain(new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES)), MAX_EXCERPT);
};

const field = ({ headers }: Dispatcher.ResponseData, name: string): string | null => {
  const [first] = [headers[name]].flat();
  return first === undefined ? null : plain(first, MAX_FIELD);
};

/** Cuts a text, and drops the NUL that PostgreSQL can't store. */
const plain = (text: string, limit: number): string => text.replaceAll("\0", "").slice(0, limit).toWellFormed();

/** Kinds of failure by the error codes of undici, Node's net and dns, and OpenSSL. */
const kinds: readonly (readonly [RegExp, FailureKind])[] = [
  [/^(UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ETIMEDOUT)$/, "timeout"],
  [/^(ENOTFOUND|ENODATA|EAI_)/, "name"],
  [/^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL)$/, "connect"],
  [/^(EPROTO|ERR_SSL|ERR_TLS|CERT|DEPTH|SELF_SIGNED|UNABLE_TO|HOSTNAME|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/, "tls"],
];

/** Takes the message of an error, or its code: after several failed addresses Node gives only the code. */
const reasonOf = (error: unknown): string => messageOf(error) || String((error as { readonly code?: unknown }).code);

const kindOf = (error: unknown): FailureKind => {
  if (error instanceof ForbiddenAddress) return "forbidden";
  const { code } = error as { readonly code?: unknown };
  return (typeof code === "string" && kinds.find(([pattern]) => pattern.test(code))?.[1]) || "broken";
};
