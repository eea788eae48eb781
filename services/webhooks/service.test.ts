import { product } from "../domain/topics.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { memoryCodec } from "../../test/support/memory.ts";
import type { NotificationEvent } from "../domain/records.ts";
import { MINUTE, SECOND } from "../platform/contract/time.ts";
import { topology } from "../platform/memory/topology.ts";
import { networks } from "./call/networks.ts";
import { caller } from "./call/client.ts";
import { webhooks } from "./rule.ts";
import type { Endpoint } from "./endpoints/table.ts";
import { newSecret } from "./call/sign.ts";
import { deliveries } from "./work.ts";

const noon = Date.parse("2026-11-22T12:00:00Z");

const bounced: NotificationEvent = {
  id: "event-1",
  type: "BOUNCED",
  notificationId: "n-1",
  userId: "ada",
  conversationId: "chat-1",
  messageIds: [],
  channel: "EMAIL",
  email: "ada@example.com",
  reason: "hard",
  statusCode: "5.1.1",
  diagnostic: null,
  url: null,
  agent: null,
  snapshot: null,
  occurredAt: noon,
};

test("an event reaches every endpoint once, even if it is published twice and the first attempt fails", async () => {
  await using world = new AsyncDisposableStack();
  const received: { readonly path: string | undefined; readonly id: unknown; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url, id: request.headers["webhook-id"], body });
      const firstTry = received.filter(({ path }) => path === request.url).length === 1;
      response.writeHead(request.url === "/flaky" && firstTry ? 500 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const endpoints = ["steady", "flaky"].map((name): Endpoint => {
    const url = `http://127.0.0.1:${port}/${name}`;
    return { id: `ep_${name}`, url, secret: newSecret(), types: null, enabled: true, description: "", createdAt: 0 };
  });

  const whole = world.use(topology(product, await memoryCodec(), noon));
  await whole.process(webhooks, () => endpoints);
  const calls = world.use(caller(networks(["127.0.0.0/8"])));
  const find = async (id: string): Promise<Endpoint | null> => endpoints.find((endpoint) => endpoint.id === id) ?? null;
  const history = { record: async (): Promise<void> => undefined, forget: async (): Promise<number> => 0 };
  const { clock } = whole.world;
  whole.work(deliveries({ directory: { find }, caller: calls, ...history, clock, chance: () => 0 }, 4));

  await whole.publish({ topic: "notifications", key: "ada", value: bounced });
  await whole.settle();
  expect(new Set(received.map(({ path }) => path))).toEqual(new Set(["/flaky", "/steady"]));
  await whole.publish({ topic: "notifications", key: "ada", value: bounced });
  await whole.advance(noon + 4 * SECOND);
  expect(received).toHaveLength(2);
  await whole.advance(noon + 10 * MINUTE);
  expect(received.slice(2).map(({ path }) => path)).toEqual(["/flaky"]);
  expect(new Set(received.map(({ id }) => id))).toEqual(new Set(["event-1"]));
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({ type: "notification.bounced", data: { reason: "hard" } });
});
