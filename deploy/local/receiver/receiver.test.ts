import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { scratch } from "../scratch.ts";
import type { Delivery } from "./deliveries.ts";
import { startReceiver, type Receiver, type ReceiverOptions } from "./receiver.ts";

const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;

const start = async (options: Partial<ReceiverOptions> = {}): Promise<Receiver> =>
  startReceiver({
    httpPort: 0,
    dir: await scratch(),
    secretFor: (name) => (name === "crm" ? SECRET : undefined),
    ...options,
  });

interface Sending {
  readonly id?: string;
  readonly payload?: unknown;
  readonly secret?: string;
  readonly name?: string;
  readonly query?: string;
  readonly at?: Date;
}

async function send(receiver: Receiver, sending: Sending = {}): Promise<number> {
  const {
    id = "msg_1",
    payload = event("notification.sent", "ada"),
    secret = SECRET,
    name = "crm",
    query = "",
    at = new Date(),
  } = sending;
  const body = JSON.stringify(payload);
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, at, body),
  };
  return (await fetch(receiver.url(name) + query, { method: "POST", body, headers })).status;
}

const event = (type: string, userId: string): object => ({ type, timestamp: "2026-01-01T00:00:00Z", data: { userId } });

test("a genuine webhook is answered 204 and shown", async () => {
  await using receiver = await start();
  expect(await send(receiver)).toBe(204);
  const { deliveries } = (await (await fetch(`${receiver.page}/api/deliveries`)).json()) as {
    readonly deliveries: Delivery[];
  };
  expect(deliveries).toHaveLength(1);
  expect(deliveries[0]).toMatchObject({
    number: 1,
    name: "crm",
    id: "msg_1",
    type: "notification.sent",
    user: "ada",
    verified: true,
    seen: 1,
    status: 204,
    headers: { "webhook-id": "msg_1" },
    body: JSON.stringify(event("notification.sent", "ada")),
  });
});

test.each([
  ["another's secret", { secret: OTHER }, 401],
  ["a stale time", { at: new Date(Date.now() - 6 * 60_000) }, 401],
  ["an unknown endpoint", { name: "nobody" }, 404],
])("%s is refused, and shown", async (_, sending, status) => {
  await using receiver = await start();
  expect(await send(receiver, sending)).toBe(status);
  expect(receiver.summary()).toEqual({ received: 1, distinct: 0, verified: 0, repeated: 0, byType: {} });
  expect(receiver.deliveries()[0]).toMatchObject({
    verified: false,
    seen: 0,
    status,
    problem: expect.stringMatching(/./),
  });
});

test("a request without headers or body is refused", async () => {
  await using receiver = await start();
  expect((await fetch(receiver.url("crm"), { method: "POST" })).status).toBe(401);
});

test("either of two secrets will do while one takes the other's place", async () => {
  await using receiver = await start({ secretFor: async () => [OTHER, SECRET] });
  expect(await send(receiver)).toBe(204);
});

test("a repeat is counted by endpoint, and only if it is genuine", async () => {
  await using receiver = await start({ secretFor: () => SECRET });
  await send(receiver);
  await send(receiver, { secret: OTHER });
  await send(receiver, { name: "other" });
  await send(receiver);
  await send(receiver, { id: "msg_2", payload: event("notification.opened", "ada") });
  expect(receiver.deliveries().map(({ seen }) => seen)).toEqual([1, 2, 1, 0, 1]);
  expect(receiver.summary()).toEqual({
    received: 5,
    distinct: 3,
    verified: 4,
    repeated: 1,
    byType: { "notification.sent": 3, "notification.opened": 1 },
  });
});

test("knobs: a status, a delay, a number of failures", async () => {
  await using receiver = await start();
  expect(await send(receiver, { query: "?status=503" })).toBe(503);
  const before = performance.now();
  expect(await send(receiver, { query: "?delay=120", id: "late" })).toBe(204);
  expect(performance.now() - before).toBeGreaterThan(115);
  const answers = [];
  for (let at = 0; at < 3; at++) answers.push(await send(receiver, { query: "?fails=2&status=429", id: "flaky" }));
  expect(answers).toEqual([429, 429, 204]);
});

test("a knob opens no door: a request that is not genuine stays 401", async () => {
  await using receiver = await start();
  expect(await send(receiver, { secret: OTHER, query: "?status=200" })).toBe(401);
});

test("the newest deliveries are kept, and the totals count all", async () => {
  await using receiver = await start({ keepDeliveries: 2 });
  for (const id of ["a", "b", "c"]) await send(receiver, { id });
  expect(receiver.deliveries().map(({ id }) => id)).toEqual(["c", "b"]);
  expect(receiver.summary().received).toBe(3);
});

test("a receiver started again has its deliveries again, from its log", async () => {
  const dir = await scratch();
  const first = await start({ dir });
  await send(first);
  await send(first, { id: "msg_2" });
  const before = first.deliveries();
  await first[Symbol.asyncDispose]();
  expect((await readFile(join(dir, "deliveries.jsonl"), "utf8")).trim().split("\n")).toHaveLength(2);

  await using second = await start({ dir });
  expect(second.deliveries()).toEqual(before);
  await send(second);
  expect(second.deliveries()[0]).toMatchObject({ number: 3, seen: 2 });
});

test("pages escape the content of deliveries", async () => {
  await using receiver = await start();
  const evil = `"'><script>alert(1)</script>`;
  await send(receiver, { id: "msg_evil", payload: { type: evil, data: { userId: evil } } });
  for (const path of ["/", "/deliveries/1", `/?type=${encodeURIComponent(evil)}`]) {
    const answer = await fetch(receiver.page + path);
    expect(await answer.text(), path).not.toContain("<script>");
    expect(answer.headers.get("content-security-policy"), path).toContain("default-src 'none'");
  }
});

test("the page follows by itself: a row, and the totals", async () => {
  await using receiver = await start();
  const answer = await fetch(`${receiver.page}/live?user=ada`);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  await send(receiver, { payload: event("for.grace", "grace") });
  await send(receiver, { id: "msg_2", payload: event("for.ada", "ada") });
  let heard = "";
  while (!heard.includes("/deliveries/2")) heard += (await reader.read()).value;
  expect(heard.indexOf("event: part")).toBeLessThan(heard.indexOf("event: row"));
  await reader.cancel();
});

test("the list is filtered by user, type, endpoint and id", async () => {
  await using receiver = await start();
  await send(receiver, { id: "1", payload: event("a", "ada") });
  await send(receiver, { id: "2", payload: event("b", "grace") });
  const ids = async (query: string): Promise<string[]> => {
    const { deliveries } = (await (await fetch(`${receiver.page}/api/deliveries?${query}`)).json()) as {
      readonly deliveries: Delivery[];
    };
    return deliveries.map(({ id }: { id: string }) => id);
  };
  expect(await ids("")).toEqual(["2", "1"]);
  expect(await ids("limit=1")).toEqual(["2"]);
  expect(await ids("user=ada")).toEqual(["1"]);
  expect(await ids("type=b&name=crm")).toEqual(["2"]);
  expect(await ids("id=1")).toEqual(["1"]);
});
