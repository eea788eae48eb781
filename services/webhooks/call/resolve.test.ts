import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { networks } from "./networks.ts";
import { caller } from "./client.ts";
import type { Resolve } from "./resolve.ts";

// Only what connects matters: each spec counts the connections to a server on every loopback address.
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
])("a server at %s is not connected to", async (host) => {
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
])("a name (%s) that leads to %j is not connected to", async (host, addresses) => {
  const { port, connections } = await listening();
  expect(await post(host, port, [], to(...addresses))).toMatchObject({ failure: "forbidden" });
  expect(connections()).toBe(0);
});

test("of a name's addresses only those that may be called are tried", async () => {
  const { port, connections } = await listening();
  const allowed = networks(["127.0.0.2/32"]);
  expect(await post("mixed.example", port, allowed, to("127.0.0.1", "127.0.0.2", "::1"))).toMatchObject({
    status: 200,
  });
  expect(connections()).toBe(1);
});

test("a name that changes its mind is asked once a connection, and its answer is what is connected to", async () => {
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

const hasIPv6 = Object.values(networkInterfaces()).some((one) => one?.some(({ address }) => address === "::1"));

test.each(["127.0.0.1", "localhost", ...(hasIPv6 ? ["[::1]"] : [])])(
  "what is allowed (%s) is connected to",
  async (host) => {
    const { port } = await listening();
    expect(await post(host, port, LOOPBACK)).toMatchObject({ status: 200, excerpt: "inside" });
  },
);
