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

/** Asks a server on loopback behind the gate; whether it let the request pass. */
const asked = async (gate: Gate, headers: Record<string, string> = {}): Promise<boolean> => {
  const server = fastify();
  world.defer(() => server.close());
  server.get("/", (it) => ({ passes: mayPass(it, gate) }));
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

test("without a token and not open, the gate is shut", () => {
  expect(isShut({ token: undefined, open: "no" })).toBe(true);
  expect(isShut({ token, open: "no" })).toBe(false);
  expect(isShut({ token: undefined, open: "local" })).toBe(false);
});

test("who bears the token passes", async () => {
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
])("who sends %j doesn't pass, even from this machine", async (authorization) =>
  expect(await asked({ token, open: "no" }, { authorization })).toBe(false),
);

test.each(["127.0.0.1:8080", "localhost", "localhost:8080", "[::1]:8080"])(
  "where it is open to this machine, its programs pass (Host: %s)",
  async (host) => expect(await asked({ token: undefined, open: "local" }, { host })).toBe(true),
);

test.each(["evil.example", "127.0.0.1.nip.io:8080", "localhost.evil.example"])(
  "a page whose name was made to lead here doesn't pass (Host: %s)",
  async (host) => expect(await asked({ token: undefined, open: "local" }, { host })).toBe(false),
);

test("where both are set, either will do", async () => {
  expect(await asked({ token, open: "local" })).toBe(true);
  expect(await asked({ token, open: "local" }, { host: "evil.example", authorization: `Bearer ${token}` })).toBe(true);
});
