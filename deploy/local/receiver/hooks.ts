import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Deliveries, Delivery } from "./deliveries.ts";
import type { JsonLog } from "./log.ts";
import { factsOf, problemOf, type Secrets } from "./verify.ts";

/** Characters of a payload that are kept for the page and the log. */
export const BODY_KEPT_CHARS = 64 * 1024;
/** Longest `?delay=` that is obeyed, in milliseconds. */
export const DELAY_LIMIT_MS = 60_000;

/** Finds the secrets of an endpoint by its name; undefined if there is no such endpoint. */
export type SecretFor = (name: string) => Secrets | undefined | Promise<Secrets | undefined>;

const knobs = z.object({
  /** Answer a verified request with this status. */
  status: z.coerce.number().int().min(200).max(599).optional().catch(undefined),
  /** Answer this late, in milliseconds. */
  delay: z.coerce.number().int().min(0).max(DELAY_LIMIT_MS).catch(0),
  /** Answer so many arrivals of each webhook-id with `status` (500 if it is not given), and the next with 204. */
  fails: z.coerce.number().int().min(0).max(100).optional().catch(undefined),
});

/**
 * Adds `POST /hooks/{name}`: 204 for a genuine request, 401 for any other, 404 without such an endpoint; or as its
 * knobs say.
 */
export function addHooks(server: FastifyInstance, { deliveries, log, secretFor, now }: HookWorld): void {
  server.removeAllContentTypeParsers();
  // A signature is over bytes: they are taken as they come, whatever their content type.
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_, body, done) => done(null, body));
  server.post("/hooks/:name", async (request, reply) => {
    const { name } = request.params as { name: string };
    const { status, delay, fails } = knobs.parse(request.query);
    const secrets = await secretFor(name);
    const body = Buffer.isBuffer(request.body) ? request.body.toString("utf8") : "";
    const headers = headersOf(request);
    const problem = secrets === undefined ? "no such endpoint" : problemOf(secrets, body, headers);
    const id = headers["webhook-id"] ?? "";
    const failing = fails === undefined ? status !== undefined : deliveries.seen(name, id) < fails;
    const refusal = secrets === undefined ? 404 : 401;
    const delivery = deliveries.add({
      ...factsOf(body),
      name,
      id,
      receivedAt: now(),
      verified: problem === undefined,
      problem: problem ?? "",
      status: problem !== undefined ? refusal : failing ? (status ?? 500) : 204,
      headers,
      body: body.slice(0, BODY_KEPT_CHARS),
    });
    log.append(delivery);
    if (delay > 0) await sleep(delay, undefined, { ref: false });
    return reply.code(delivery.status).send(problem === undefined ? undefined : { error: problem });
  });
}

/** The surroundings of hooks. */
export interface HookWorld {
  readonly deliveries: Deliveries;
  readonly log: JsonLog;
  readonly secretFor: SecretFor;
  readonly now: () => number;
}

const stored = z.object({
  number: z.number(),
  name: z.string(),
  id: z.string(),
  type: z.string(),
  user: z.string(),
  receivedAt: z.number(),
  verified: z.boolean(),
  problem: z.string(),
  seen: z.number(),
  status: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

/** A delivery of a line of the log; undefined if the line is no delivery. */
export function deliveryOf(record: unknown): Delivery | undefined {
  return stored.safeParse(record).data;
}

function headersOf(request: FastifyRequest): Record<string, string> {
  const entries = Object.entries(request.headers).map(
    ([name, value]) => [name, [value ?? ""].flat().join(", ")] as const,
  );
  return Object.fromEntries(entries);
}
