import { fastify, type FastifyInstance } from "fastify";
import { describe, expect, test } from "vitest";
import type { Database } from "../../services/platform/contract/database.ts";
import {
  type EndpointSettings,
  endpointsAdd,
  endpointsCommand,
  endpointsList,
  endpointsRemove,
} from "../../services/ops/endpoints.ts";
import { directory } from "../../services/webhooks/endpoints/directory.ts";
import {
  addEndpoint,
  configuredId,
  type Endpoint,
  enableEndpoint,
  findEndpoint,
  listEndpoints,
  MAX_ENDPOINTS,
  type NewEndpoint,
  removeEndpoint,
} from "../../services/webhooks/endpoints/table.ts";
import type { Gate } from "../../services/webhooks/endpoints/auth.ts";
import { addRoutes } from "../../services/webhooks/endpoints/routes.ts";
import { isSecret, newSecret } from "../../services/webhooks/call/sign.ts";
import { database } from "../support/world.ts";

const some = (more: Partial<NewEndpoint> = {}): NewEndpoint => ({
  url: "https://example.com/hook",
  types: null,
  description: "",
  secret: newSecret(),
  ...more,
});
const configured: Endpoint = {
  id: configuredId("https://conf.example/"),
  url: "https://conf.example/",
  types: null,
  secret: newSecret(),
  enabled: true,
  description: "",
  createdAt: null,
};

describe("the table of endpoints", () => {
  test("an endpoint is found once added, listed in the order of adding, and gone when removed", async () => {
    const db = await database();
    const one = await addEndpoint(db, some({ types: ["notification.sent"], description: "for Ada" }));
    const two = await addEndpoint(db, some());
    expect(one).toMatchObject({
      id: /^ep_[0-9a-f]{24}$/,
      types: ["notification.sent"],
      description: "for Ada",
      enabled: true,
    });
    expect(Math.abs((one?.createdAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await findEndpoint(db, one?.id ?? "")).toEqual(one);
    expect(await listEndpoints(db)).toEqual([one, two]);
    expect(await removeEndpoint(db, one?.id ?? "")).toBe(true);
    expect(await removeEndpoint(db, one?.id ?? "")).toBe(false);
    expect(await findEndpoint(db, one?.id ?? "")).toBeNull();
  });

  test("an endpoint is disabled and enabled again", async () => {
    const db = await database();
    const { id = "" } = (await addEndpoint(db, some())) ?? {};
    expect(await enableEndpoint(db, id, false)).toBe(true);
    expect(await findEndpoint(db, id)).toMatchObject({ enabled: false });
    expect(await enableEndpoint(db, id, true)).toBe(true);
    expect(await findEndpoint(db, id)).toMatchObject({ enabled: true });
    expect(await enableEndpoint(db, "ep_none", true)).toBe(false);
  });

  test("the number of endpoints is limited", async () => {
    const db = await database();
    for (let count = 0; count < MAX_ENDPOINTS; count++) expect(await addEndpoint(db, some())).not.toBeNull();
    expect(await addEndpoint(db, some())).toBeNull();
  });
});

describe("the directory", () => {
  test("the directory has the configuration's endpoints and the table's, new ones within a second", async () => {
    const db = await database();
    let now = 1_000_000;
    const known = directory(db, [configured], { now: () => now });
    const ids = async (): Promise<readonly string[]> => (await known.enabled()).map(({ id }) => id);
    expect(await ids()).toEqual([configured.id]);
    const { id = "" } = (await addEndpoint(db, some())) ?? {};
    expect(await ids()).toEqual([configured.id]);
    expect(await known.find(id)).toMatchObject({ id });
    now += 1_001;
    expect(await ids()).toEqual([configured.id, id]);
    await enableEndpoint(db, id, false);
    now += 1_001;
    expect(await ids()).toEqual([configured.id]);
    expect(await known.all()).toHaveLength(2);
    expect(await known.find(configured.id)).toEqual(configured);
    expect(await known.find("ep_none")).toBeNull();
  });
});

describe("registration over HTTP", () => {
  const token = "0123456789abcdef";
  const bearer = { authorization: `Bearer ${token}` };

  const office = async (db: Database, gate: Gate = { token, open: "no" }): Promise<FastifyInstance> => {
    const server = fastify();
    addRoutes(server, { database: db, directory: directory(db, [configured], { now: Date.now }), allowed: [], gate });
    await server.ready();
    return server;
  };
  const path = "/webhooks/endpoints";

  test("an endpoint is registered, shows its secret once, is listed, shown and removed", async () => {
    const db = await database();
    const server = await office(db);
    const payload = {
      url: "https://Example.com/a",
      types: ["notification.sent", "notification.sent"],
      description: "d",
    };
    const added = await server.inject({ method: "POST", url: path, headers: bearer, payload });
    expect(added.statusCode).toBe(201);
    const { id, secret, ...rest } = added.json<Record<string, unknown>>();
    expect(rest).toEqual({
      url: "https://example.com/a",
      types: ["notification.sent"],
      description: "d",
      enabled: true,
      source: "registered",
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(isSecret(String(secret))).toBe(true);
    expect(added.headers.location).toBe(`${path}/${String(id)}`);

    const masked = { id, ...rest, secret: "whsec_•••" };
    const listed = await server.inject({ url: path, headers: bearer });
    expect(listed.json()).toEqual({ endpoints: [expect.objectContaining({ source: "configuration" }), masked] });
    const one = `${path}/${String(id)}`;
    expect((await server.inject({ url: one, headers: bearer })).json()).toEqual(masked);
    expect((await server.inject({ method: "DELETE", url: one, headers: bearer })).statusCode).toBe(204);
    for (const method of ["GET", "DELETE"] as const)
      expect((await server.inject({ method, url: one, headers: bearer })).statusCode).toBe(404);
  });

  test.each([
    ["no body", undefined, "/url", "is not a text"],
    ["no URL", {}, "/url", "is not a text"],
    ["a private address", { url: "http://10.0.0.1/" }, "/url", "not a public address"],
    ["credentials", { url: "https://a:b@example.com/" }, "/url", "user name or password"],
    ["another scheme", { url: "gopher://example.com/" }, "/url", "neither https nor http"],
    ["an unknown type", { url: "https://example.com/", types: ["sent"] }, "/types/0", "is none of"],
    ["no types", { url: "https://example.com/", types: [] }, "/types", "is empty"],
    ["NUL in the description", { url: "https://example.com/", description: "\0" }, "/description", "control"],
    ["a misspelt field", { url: "https://example.com/", type: "x" }, "", "type"],
  ])("%s is a problem with a pointer to the field", async (_, payload, pointer, detail) => {
    const server = await office(await database());
    const headers = { ...bearer, ...(payload === undefined ? {} : { "content-type": "application/json" }) };
    const answer = await server.inject({ method: "POST", url: path, headers, ...(payload ? { payload } : {}) });
    expect(answer.statusCode).toBe(422);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({
      type: "about:blank",
      title: "Unprocessable Content",
      status: 422,
      errors: [{ pointer, detail: expect.stringContaining(detail) }],
    });
  });

  test.each([
    ["broken JSON", { "content-type": "application/json" }, "{", 400],
    ["text", { "content-type": "text/plain" }, '{"url":"https://example.com/"}', 415],
    ["a huge body", { "content-type": "application/json" }, JSON.stringify({ url: "x".repeat(20_000) }), 413],
  ])("%s is a problem", async (_, headers, payload, status) => {
    const server = await office(await database());
    const answer = await server.inject({ method: "POST", url: path, headers: { ...bearer, ...headers }, payload });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json()).toMatchObject({ status });
  });

  test("without the token every request gets 401", async () => {
    const db = await database();
    const server = await office(db);
    for (const [method, url] of [
      ["GET", path],
      ["POST", path],
      ["GET", `${path}/ep_1`],
      ["DELETE", `${path}/ep_1`],
    ] as const) {
      const answer = await server.inject({ method, url });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      expect(answer.json()).toMatchObject({ status: 401, title: "Unauthorized" });
    }
    expect(await listEndpoints(db)).toEqual([]);
  });

  test("without a token in the configuration every request gets 404", async () => {
    const server = await office(await database(), { token: undefined, open: "no" });
    expect((await server.inject({ url: path, headers: bearer })).statusCode).toBe(404);
  });

  test("an impossible id gets 404, and an endpoint of the configuration can't be removed here", async () => {
    const server = await office(await database());
    for (const id of ["ep_%00", "x", "ep_" + "0".repeat(90), "ep_';--"])
      expect((await server.inject({ url: `${path}/${id}`, headers: bearer })).statusCode).toBe(404);
    const removing = await server.inject({ method: "DELETE", url: `${path}/${configured.id}`, headers: bearer });
    expect(removing.statusCode).toBe(409);
  });

  test("at the limit, adding is a conflict", async () => {
    const db = await database();
    for (let count = 0; count < MAX_ENDPOINTS; count++) await addEndpoint(db, some());
    const server = await office(db);
    const adding = await server.inject({
      method: "POST",
      url: path,
      headers: bearer,
      payload: { url: "https://example.com/" },
    });
    expect(adding.statusCode).toBe(409);
  });
});

describe("ops endpoints", () => {
  const settings: EndpointSettings = { WEBHOOK_ALLOWED_NETWORKS: ["127.0.0.0/8"], WEBHOOK_ENDPOINTS: [configured] };

  test("the command adds, lists and removes endpoints, and only adding shows the secret", async () => {
    const db = await database();
    const added = await endpointsAdd(db, { url: "http://127.0.0.1:3000/", types: ["notification.sent"], settings });
    if ("refused" in added) throw new Error(added.refused);
    expect(isSecret(added.secret)).toBe(true);
    const listed = await endpointsList(db, { settings });
    expect(listed.map(({ id, secret }) => ({ id, secret }))).toEqual([
      { id: configured.id, secret: "whsec_•••" },
      { id: added.id, secret: "whsec_•••" },
    ]);
    expect(await endpointsRemove(db, { id: added.id })).toEqual({ removed: added.id });
    expect(await endpointsRemove(db, { id: added.id })).toEqual({ refused: `there is no endpoint ${added.id}` });
    expect(await endpointsRemove(db, { id: configured.id })).toMatchObject({ refused: /WEBHOOK_ENDPOINTS/ });
  });

  test("the command says which argument is wrong", async () => {
    const db = await database();
    expect(await endpointsAdd(db, { url: "http://10.0.0.1/", settings })).toMatchObject({
      refused: /^url is at 10\.0\.0\.1/,
    });
    expect(await endpointsAdd(db, { url: "https://a.example/", types: ["x"], settings })).toMatchObject({
      refused: /^types\/0 is none of/,
    });
  });

  test("the command line prints an id and a secret, or JSON when asked to, and closes its connections", async () => {
    const db = await database();
    const said: string[] = [];
    let closed = 0;
    const ops = (...args: readonly string[]) =>
      endpointsCommand(
        async () => ({ database: { ...db, [Symbol.asyncDispose]: async () => void closed++ }, settings }),
        (line) => said.push(line),
      )
        .exitOverride()
        .configureOutput({ writeErr: (text) => said.push(text) })
        .parseAsync(args, { from: "user" });

    await ops(
      "add",
      "https://a.example/",
      "--types",
      "notification.sent, notification.opened",
      "--description",
      "mine",
    );
    expect(said).toEqual([expect.stringMatching(/^id {6}ep_/), expect.stringMatching(/^secret {2}whsec_/)]);
    await ops("list", "--json");
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject([
      { source: "configuration" },
      { types: ["notification.sent", "notification.opened"], description: "mine" },
    ]);
    await ops("list");
    expect(said.at(-1)).toMatch(
      /^ep_\w+ {2}registered {2}notification\.sent,notification\.opened {2}https:\/\/a\.example\/ {2}mine$/,
    );
    await expect(ops("remove", "ep_none")).rejects.toThrow("there is no endpoint ep_none");
    expect(closed).toBe(4);
  });
});
