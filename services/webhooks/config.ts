import { z } from "zod";
import { list, oneOf, optional, secret, type Variable, whole } from "../platform/app/config.ts";
import { isNetwork } from "./call/networks.ts";
import { configuredId, type Endpoint } from "./endpoints/table.ts";
import { configuredEndpoint } from "./endpoints/registration.ts";

/** Default number of attempts under way at once in a process: an attempt mostly waits. */
const CONCURRENCY = 32;
const MAX_CONCURRENCY = 1_000;
const MIN_TOKEN_LENGTH = 16;

const allowedNetworks: Variable<readonly string[]> = {
  ...list("networks that webhooks may call beside the public Internet, such as 10.0.0.0/8", ""),
  example: "10.0.0.0/8,fd00::/8",
};

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const endpoints = json
  .pipe(z.array(configuredEndpoint, { error: "is not a list of {url, secret, types}" }))
  .transform((items): readonly Endpoint[] =>
    items.map((item) => {
      const url = URL.parse(item.url)?.href ?? item.url;
      return { ...item, url, id: configuredId(url), enabled: true, description: "", createdAt: null };
    }),
  )
  .refine((items) => new Set(items.map(({ id }) => id)).size === items.length, "names a URL twice");

const adminToken = secret(`token that opens /webhooks/endpoints (Bearer, ${MIN_TOKEN_LENGTH} characters or more)`);

/** Environment variables of the service. */
export const variables = {
  WEBHOOK_ALLOWED_NETWORKS: {
    ...allowedNetworks,
    schema: allowedNetworks.schema.refine(
      (cidrs) => cidrs.every(isNetwork),
      "is not a list of networks like 10.0.0.0/8",
    ),
  },
  WEBHOOK_CONCURRENCY: whole("webhooks called at once by a process", 1, MAX_CONCURRENCY, CONCURRENCY),
  WEBHOOK_ENDPOINTS: {
    about: "endpoints beside the registered ones, as JSON; an id derives from the URL; no types means all types",
    schema: endpoints.prefault("[]"),
    secret: true,
    example: '[{"url":"https://example.com/hook","secret":"whsec_…","types":["notification.triggered"]}]',
  } as Variable<readonly Endpoint[]>,
  WEBHOOKS_ADMIN_TOKEN: optional({
    ...adminToken,
    schema: adminToken.schema.refine(
      (token) => token.length >= MIN_TOKEN_LENGTH,
      `is shorter than ${MIN_TOKEN_LENGTH} characters`,
    ),
  }),
  WEBHOOKS_OPEN: oneOf(
    "access to /webhooks/endpoints without a token: local is for programs of this machine",
    ["no", "local"],
    "no",
  ),
} as const;
