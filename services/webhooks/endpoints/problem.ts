import type { HttpReply } from "../../platform/app/http.ts";
import type { Problem } from "./registration.ts";

const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

export type ProblemStatus = keyof typeof titles;

export const isProblemStatus = (status: number | undefined): status is ProblemStatus =>
  status !== undefined && Object.hasOwn(titles, status);

/** Replies with problem details (RFC 9457); `errors` are as in its section 3.1, each with a JSON Pointer. */
export const problem = (
  reply: HttpReply,
  status: ProblemStatus,
  detail: string,
  errors?: readonly Problem[],
): HttpReply => {
  const details = { type: "about:blank", title: titles[status], status, detail, errors };
  // Sent as bytes: Fastify adds a charset to a text, and JSON has none (RFC 8259, section 11).
  return reply
    .code(status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(details)));
};
