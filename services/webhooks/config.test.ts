import { expect, test } from "vitest";
import { masked, parse } from "../platform/app/config.ts";
import { variables } from "./config.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const read = (environment: Record<string, string>) => parse(variables, environment);
const endpoints = (...items: readonly object[]) => read({ WEBHOOK_ENDPOINTS: JSON.stringify(items) }).WEBHOOK_ENDPOINTS;

test("every variable is optional: no networks, no endpoints, no administration", () => {
  expect(read({})).toEqual({
    WEBHOOK_ALLOWED_NETWORKS: [],
    WEBHOOK_CONCURRENCY: 32,
    WEBHOOK_ENDPOINTS: [],
    WEBHOOKS_ADMIN_TOKEN: undefined,
    WEBHOOKS_OPEN: "no",
  });
});

test("an endpoint's id derives from its URL in any spelling", () => {
  const [first] = endpoints({ url: "https://EXAMPLE.com:443/hook", secret });
  const [second] = endpoints({ url: "https://example.com/hook", secret, types: ["notification.sent"] });
  expect(first).toMatchObject({
    id: /^epc_[0-9a-f-]{36}$/,
    url: "https://example.com/hook",
    types: null,
    enabled: true,
  });
  expect(second).toMatchObject({ id: first?.id, types: ["notification.sent"] });
});

test.each([
  ["not JSON", "{", /is not JSON/],
  ["no list", "{}", /is not a list/],
  ["an endpoint without a URL", `[{"secret":"${secret}"}]`, /WEBHOOK_ENDPOINTS .*not a text/],
  ["a short secret", '[{"url":"https://a.example/","secret":"whsec_c2hvcnQ="}]', /whsec_ and 24 to 64 bytes/],
  [
    "an unknown type",
    `[{"url":"https://a.example/","secret":"${secret}","types":["sent"]}]`,
    /is none of notification\.triggered/,
  ],
  [
    "a URL twice",
    `[{"url":"https://a.example","secret":"${secret}"},{"url":"https://a.example/","secret":"${secret}"}]`,
    /twice/,
  ],
])("WEBHOOK_ENDPOINTS with %s is rejected without showing its secret", (_, text, problem) => {
  const refused = (): unknown => read({ WEBHOOK_ENDPOINTS: text });
  expect(refused).toThrow(problem);
  expect(refused).not.toThrow(/MfKQ/);
});

test("networks have to be in CIDR notation", () => {
  expect(read({ WEBHOOK_ALLOWED_NETWORKS: "10.0.0.0/8, ::1/128" }).WEBHOOK_ALLOWED_NETWORKS).toEqual([
    "10.0.0.0/8",
    "::1/128",
  ]);
  for (const wrong of ["10.0.0.0", "localhost", "10.0.0.0/33"])
    expect(() => read({ WEBHOOK_ALLOWED_NETWORKS: wrong })).toThrow(/is not a list of networks/);
});

test("a short token is rejected", () => {
  expect(() => read({ WEBHOOKS_ADMIN_TOKEN: "secret" })).toThrow("WEBHOOKS_ADMIN_TOKEN is shorter than 16 characters");
});

test("secrets are masked when settings are printed", () => {
  const settings = read({
    WEBHOOKS_ADMIN_TOKEN: "0123456789abcdef",
    WEBHOOK_ENDPOINTS: `[{"url":"https://a.example/","secret":"${secret}"}]`,
  });
  expect(JSON.stringify(masked(variables, settings))).not.toMatch(/MfKQ|0123456789/);
});
