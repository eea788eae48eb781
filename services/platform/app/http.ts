import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { announce } from "../runtime/facts.ts";
import type { Metrics } from "./metrics.ts";

/** Types of the process's HTTP server, for services that add routes. */
export type HttpServer = FastifyInstance;
export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;
export type HttpError = FastifyError;

/** Bytes that a request's body may have, where a route sets no other limit. */
const BODY_LIMIT = 256 * 1024;
/** Milliseconds that a request may take to arrive. */
const REQUEST_TIMEOUT = 10_000;

/**
 * Makes the process's HTTP server, with `/health/live`, `/health/ready` and `/metrics`; services add routes.
 * @param ready gives the names of parts that are not ready yet
 */
export const openHttp = (ready: () => readonly string[], metrics: Metrics): HttpServer => {
  const server = fastify({ bodyLimit: BODY_LIMIT, requestTimeout: REQUEST_TIMEOUT, forceCloseConnections: "idle" });
  server.addHook("onError", (request, _reply, error, done) => {
    if ((error.statusCode ?? 500) >= 500)
      announce("stumbled", { loop: `http ${request.method} ${request.routeOptions.url ?? ""}`, error, wait: 0 });
    done();
  });
  server.get("/health/live", () => ({ status: "live" }));
  server.get("/health/ready", async (_, reply) => {
    const missing = ready();
    return reply
      .code(missing.length === 0 ? 200 : 503)
      .send({ status: missing.length === 0 ? "ready" : "not ready", missing });
  });
  server.get("/metrics", async (_, reply) => reply.type(metrics.contentType).send(await metrics.print()));
  return server;
};
