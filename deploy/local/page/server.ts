import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastify, { type FastifyInstance } from "fastify";

/** The policy of every page: its own style and script, nothing inline, nothing from elsewhere, no frame but its own. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Names of this machine. Any other Host is a page elsewhere that had its name point here (DNS rebinding). */
const OWN_NAMES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Only this machine can reach the demo's pages: they have no passwords. */
export const LOOPBACK = "127.0.0.1";

/** A server with common headers, style and script; routes are still to be added. */
export async function createPageServer(bodyLimitBytes: number): Promise<FastifyInstance> {
  const style = (await Promise.all(["base.css", "lists.css", "letter.css"].map(asset))).join("\n");
  const script = await asset("script.js");
  const server = fastify({ logger: false, bodyLimit: bodyLimitBytes, forceCloseConnections: true });
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    if (!OWN_NAMES.has(request.hostname)) return reply.code(403).type("text/plain").send("This name is not mine.\n");
  });
  server.get("/style.css", (_, reply) => reply.type("text/css; charset=utf-8").send(style));
  server.get("/script.js", (_, reply) => reply.type("text/javascript; charset=utf-8").send(script));
  for (const path of ["/livez", "/readyz"]) server.get(path, (_, reply) => reply.type("text/plain").send("ok"));
  return server;
}

/** Starts listening on loopback (port 0: a free one) and returns the address, without a slash at its end. */
export function listen(server: FastifyInstance, port: number): Promise<string> {
  return server.listen({ host: LOOPBACK, port });
}

function asset(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, name), "utf8");
}
