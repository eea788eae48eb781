import { fastify } from "fastify";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Gate, isShut, mayPass } from "./auth.ts";

const token = "0123456789abcdef";
let world = new AsyncDisposableStack();
afterEach(async () => {
  await world.disposeAsync();
  world = new AsyncDisposableStack();
});

/** Sends a request to a server on loopback; returns whether the gate lets it pass. */
const asked = async (gate: Gate, headers: Record<string, string> = {}): Promise<boolean> => {
  const server = fastify();
  world.defer(() => server.close());
  server.get("/", (incoming) => ({ passes: mayPass(incoming, gate) }));
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", headers, agent: false }, (response) => {
      response
        .setEncoding("utf8")
        .on("data", (text: string) => resolve((JSON.parse(text) as { passes: boolean }).passes));
    })
      .on("error", reject)
      .end();
  });
};

test("the gate is shut without a token where it isn't open", () => {
  expect(isShut({ token: undefined, open: "no" })).toBe(true);
  expect(isShut({ token, open: "no" })).toBe(false);
  expect(isShut({ token: undefined, open: "local" })).toBe(false);
});

test("a request with the token passes", async () => {
  expect(await asked({ token, open: "no" }, { authorization: `Bearer ${token}` })).toBe(true);
  expect(await asked({ token, open: "no" }, { authorization: `bearer ${token}` })).toBe(true);
});

test.each([
  "",
  "Bearer",
  "Bearer ",
  `Basic ${token}`,
  token,
  `Bearer ${token}x`,
  `Bearer ${token.slice(1)}`,
  `Bearer x ${token}`,
])("a request with the authorization %j doesn't pass, even from this machine", async (authorization) =>
  expect(await asked({ token, open: "no" }, { authorization })).toBe(false),
);

test.each(["127.0.0.1:8080", "localhost", "localhost:8080", "[::1]:8080"])(
  "a request from this machine passes where the gate is open to it (Host: %s)",
  async (host) => expect(await asked({ token: undefined, open: "local" }, { host })).toBe(true),
);

test.each(["evil.example", "127.0.0.1.nip.io:8080", "localhost.evil.example"])(
  "a request with another Host doesn't pass, even from this machine (Host: %s)",
  async (host) => expect(await asked({ token: undefined, open: "local" }, { host })).toBe(false),
);

test("a request passes by token or from this machine where both are allowed", async () => {
  expect(await asked({ token, open: "local" })).toBe(true);
  expect(await asked({ token, open: "local" }, { host: "evil.example", authorization: `Bearer ${token}` })).toBe(true);
});
