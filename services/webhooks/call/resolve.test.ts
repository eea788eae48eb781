import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { networks } from "./networks.ts";
import { caller } from "./client.ts";
import type { Resolve } from "./resolve.ts";

// Each spec counts the connections to a server that listens on every loopback address.
let world = new AsyncDisposableStack();
afterEach(async () => {
  await world.disposeAsync();
  world = new AsyncDisposableStack();
});

const never = new AbortController().signal;
const LOOPBACK = networks(["127.0.0.0/8", "::1/128"]);

const listening = async (): Promise<{ port: number; connections: () => number }> => {
  let count = 0;
  const server = createServer((_, response) => response.end("inside")).on("connection", () => count++);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  world.defer(() => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))));
  return { port: (server.address() as AddressInfo).port, connections: () => count };
};

const to =
  (...addresses: readonly string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

const post = (host: string, port: number, allowed = networks([]), resolve?: Resolve) =>
  world
    .use(caller(allowed, resolve ? { resolve } : {}))
    .post({ url: `http://${host}:${port}/`, headers: {}, body: "{}" }, never);

test.each([
  "127.0.0.1",
  "localhost",
  "LOCALHOST",
  "[::1]",
  "0x7f.1",
  "2130706433",
  "017700000001",
  "127.1",
  "0",
  "[::]",
  "[::ffff:127.0.0.1]",
])("the caller doesn't connect to a server at %s", async (host) => {
  const { port, connections } = await listening();
  expect(await post(host, port)).toMatchObject({ failure: "forbidden", message: /not a public address/ });
  expect(connections()).toBe(0);
});

test.each([
  ["127.0.0.1.nip.io", ["127.0.0.1"]],
  ["six.example", ["::1"]],
  ["mapped.example", ["::ffff:127.0.0.1"]],
  ["nat64.example", ["64:ff9b::7f00:1"]],
  ["metadata.google.internal", ["169.254.169.254"]],
  ["both.example", ["10.0.0.1", "::1", "127.0.0.1"]],
  ["nowhere.example", []],
])("the caller doesn't connect to the name %s with the addresses %j", async (host, addresses) => {
  const { port, connections } = await listening();
  expect(await post(host, port, [], to(...addresses))).toMatchObject({ failure: "forbidden" });
  expect(connections()).toBe(0);
});

test("the caller tries only the addresses of a name that may be called", async () => {
  const { port, connections } = await listening();
  const allowed = networks(["127.0.0.2/32"]);
  expect(await post("mixed.example", port, allowed, to("127.0.0.1", "127.0.0.2", "::1"))).toMatchObject({
    status: 200,
  });
  expect(connections()).toBe(1);
});

test("the caller resolves a name once for each connection, and connects to the address it checked", async () => {
  const { port, connections } = await listening();
  let asked = 0;
  const rebinding: Resolve = () => to(asked++ === 0 ? "127.0.0.2" : "127.0.0.1")("", {});
  const allowed = networks(["127.0.0.2/32"]);
  const by = world.use(caller(allowed, { resolve: rebinding }));
  const request = { url: `http://rebinding.example:${port}/`, headers: { connection: "close" }, body: "{}" };
  expect(await by.post(request, never)).toMatchObject({ status: 200 });
  expect(asked).toBe(1);
  expect(await by.post(request, never)).toMatchObject({ failure: "forbidden" });
  expect(connections()).toBe(1);
});

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

test.each(["127.0.0.1", "localhost", ...(hasIPv6 ? ["[::1]"] : [])])(
  "the caller connects to the allowed host %s",
  async (host) => {
    const { port } = await listening();
    expect(await post(host, port, LOOPBACK)).toMatchObject({ status: 200, excerpt: "inside" });
  },
);
