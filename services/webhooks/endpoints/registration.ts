import { z } from "zod";
import { type Networks, urlProblem } from "../call/networks.ts";
import { type WebhookType, webhookTypes } from "../body.ts";
import { iso8601 } from "../calendar.ts";
import { type Endpoint, isConfigured, type NewEndpoint } from "./table.ts";
import { isSecret, maskedSecret, newSecret } from "../call/sign.ts";

/** Maximum length of a description, in characters. */
const MAX_DESCRIPTION = 500;

const typeNames = Object.values(webhookTypes) as [WebhookType, ...WebhookType[]];

const type = z.enum(typeNames, { error: `is none of ${typeNames.join(", ")}` });

/** Fields of an endpoint, as a client or the configuration writes them. */
const fields = {
  url: z.string({ error: "is not a text" }),
  types: z
    .array(type, { error: "is not a list of types" })
    .min(1, "is empty; leave it out for all types")
    .transform((types) => [...new Set(types)])
    .nullish()
    .transform((types) => types ?? null),
};
const note = z
  .string({ error: "is not a text" })
  .max(MAX_DESCRIPTION, `is longer than ${MAX_DESCRIPTION} characters`)
  .regex(/^[^\p{Cc}]*$/u, "contains control characters")
  .default("");
const secret = z.string({ error: "is not a text" }).refine(isSecret, "is not whsec_ and 24 to 64 bytes in base64");

const registration = z.strictObject({ ...fields, description: note });

/** Schema of an item in WEBHOOK_ENDPOINTS. */
export const configuredEndpoint = z.strictObject({ ...fields, secret });

/** A fault in a registration, and a JSON Pointer (RFC 6901) to it. */
export interface Problem {
  readonly pointer: string;
  readonly detail: string;
}

/** Checks a registration and gives it a new secret; returns its faults where it has any. */
export const registrationOf = (input: unknown, allowed: Networks): NewEndpoint | readonly Problem[] => {
  const { success, data, error } = registration.safeParse(input);
  if (!success) return error.issues.map(problemOf);
  const wrong = urlProblem(data.url, allowed);
  if (wrong !== null) return [{ pointer: "/url", detail: wrong }];
  return { ...data, url: new URL(data.url).href, secret: newSecret() };
};

export const isRefused = (answer: NewEndpoint | readonly Problem[]): answer is readonly Problem[] =>
  Array.isArray(answer);

const problemOf = ({ path, message }: z.core.$ZodIssue): Problem => ({
  pointer: path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
  detail: message,
});

/** An endpoint in JSON, as clients see it. */
export interface EndpointView {
  readonly id: string;
  readonly url: string;
  /** Types that the endpoint wants; null: all. */
  readonly types: readonly string[] | null;
  readonly description: string;
  readonly enabled: boolean;
  readonly source: "configuration" | "registered";
  /** Time of its registration in ISO 8601; null where the configuration names it. */
  readonly createdAt: string | null;
  /** Masked, except in the reply to its registration. */
  readonly secret: string;
}

/** Shows an endpoint with its secret masked. */
export const viewOf = (endpoint: Endpoint): EndpointView => {
  const { id, url, types, description, enabled, createdAt } = endpoint;
  const source = isConfigured(id) ? "configuration" : "registered";
  const created = createdAt === null ? null : iso8601(createdAt);
  return {
    id,
    url,
    types,
    description,
    enabled,
    source,
    createdAt: created,
    secret: maskedSecret(endpoint.secret),
  };
};
