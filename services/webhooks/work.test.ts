import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { afterEach, expect, test } from "vitest";
import { webhookRetries } from "../domain/retry.ts";
import { networks } from "./call/networks.ts";
import type { AttemptRow } from "./attempts.ts";
import { caller } from "./call/client.ts";
import type { Delivery } from "./rule.ts";
import type { Endpoint } from "./endpoints/table.ts";
import { newSecret } from "./call/sign.ts";
import { deliveries, type DeliveryDeps } from "./work.ts";

const secret = newSecret();
const never = new AbortController().signal;
let world = new AsyncDisposableStack();
afterEach(async () => {
  await world.disposeAsync();
  world = new AsyncDisposableStack();
});

/** A subscriber that answers with these statuses in order, and the requests it got. */
const subscriber = async (...statuses: readonly number[]) => {
  const requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ headers: request.headers, body });
      response.writeHead(statuses[requests.length - 1] ?? 500).end("so it is");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.defer(() => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/private-path`, requests };
};

const endpoint = (url: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id: "ep_1",
  url,
  secret,
  types: null,
  enabled: true,
  description: "",
  createdAt: 0,
  ...more,
});

const delivery = (endpointId = "ep_1"): Delivery => ({
  endpointId,
  eventId: "event-1",
  type: "notification.sent",
  body: '{"id":"event-1"}',
});

const working = (endpoints: readonly Endpoint[], more: Partial<DeliveryDeps> = {}) => {
  const history: AttemptRow[] = [];
  const work = deliveries(
    {
      directory: { find: async (id) => endpoints.find((found) => found.id === id) ?? null },
      caller: world.use(caller(networks(["127.0.0.0/8"]))),
      record: async (row) => void history.push(row),
      forget: () => Promise.resolve(0),
      clock: { now: Date.now },
      chance: () => 0,
      ...more,
    },
    1,
  );
  const attempt = (number: number, payload = delivery(), signal = never) =>
    work.attempt(
      { queue: "webhooks", id: `event-1/${payload.endpointId}`, payload, attempt: number, token: "t" },
      signal,
      () => undefined,
    );
  return { attempt, history };
};

test("a delivery is signed, posted and done, and its log line has the URL's host but not its path", async () => {
  const { url, requests } = await subscriber(204);
  const { attempt, history } = working([endpoint(url)]);
  const { settlement, publish, detail } = await attempt(1);
  expect({ settlement, publish }).toEqual({ settlement: { state: "done" }, publish: [] });
  expect(detail).toEqual({
    endpoint: "ep_1",
    host: new URL(url).host,
    type: "notification.sent",
    status: 204,
    duration: expect.any(Number),
  });
  const [request] = requests;
  new Webhook(secret).verify(request?.body ?? "", request?.headers as Record<string, string>);
  expect(history).toMatchObject([
    { deliveryId: "event-1/ep_1", attempt: 1, endpointId: "ep_1", status: 204, error: null },
  ]);
});

test("each attempt posts the same id and bytes, with its own time and signature", async () => {
  const { url, requests } = await subscriber(500, 200);
  let now = Date.now() - 60_000;
  const { attempt, history } = working([endpoint(url)], { clock: { now: () => (now += 30_000) } });
  const first = await attempt(1);
  const second = await attempt(2);
  expect(first.settlement).toMatchObject({ state: "retry", error: "HTTP 500" });
  expect(first.detail).toMatchObject({ status: 500, excerpt: "so it is" });
  expect(second.settlement).toEqual({ state: "done" });
  const [request, repeat] = requests;
  expect(repeat?.body).toBe(request?.body);
  expect(repeat?.headers["webhook-id"]).toBe(request?.headers["webhook-id"]);
  expect(repeat?.headers["webhook-timestamp"]).not.toBe(request?.headers["webhook-timestamp"]);
  for (const { body, headers } of requests) new Webhook(secret).verify(body, headers as Record<string, string>);
  expect(history.map((row) => ({ attempt: row.attempt, status: row.status, excerpt: row.excerpt }))).toEqual([
    { attempt: 1, status: 500, excerpt: "so it is" },
    { attempt: 2, status: 200, excerpt: "so it is" },
  ]);
});

test("a delivery to a removed endpoint is dead, without a call", async () => {
  const { attempt } = working([]);
  expect((await attempt(1)).settlement).toEqual({ state: "dead", error: "the endpoint was removed" });
});

test("a delivery to an endpoint that only another process's configuration names is retried", async () => {
  const { attempt } = working([]);
  expect((await attempt(1, delivery("epc_1"))).settlement).toMatchObject({ state: "retry", error: /^unknown: / });
});

test("a delivery to a disabled endpoint is retried by the schedule, without a call", async () => {
  const { url, requests } = await subscriber(200);
  const { attempt, history } = working([endpoint(url, { enabled: false })]);
  expect((await attempt(1)).settlement).toMatchObject({ state: "retry", error: /^disabled: / });
  expect((await attempt(webhookRetries.length + 1)).settlement).toMatchObject({ state: "dead" });
  expect(requests).toEqual([]);
  expect(history).toHaveLength(2);
});

test("an answer counts even if its row in the history can't be written", async () => {
  const { url } = await subscriber(200);
  const { attempt } = working([endpoint(url)], { record: () => Promise.reject(new Error("no room")) });
  expect(await attempt(1)).toMatchObject({ settlement: { state: "done" }, detail: { unrecorded: "no room" } });
});

test("a delivery to a forbidden address is retried, and its log line names the failure", async () => {
  const { attempt } = working([endpoint("http://10.0.0.1/")]);
  expect(await attempt(1)).toMatchObject({
    settlement: { state: "retry", error: /^forbidden: 10\.0\.0\.1 / },
    detail: { failure: "forbidden" },
  });
});
