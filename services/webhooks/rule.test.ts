import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Poison } from "../platform/contract/failure.ts";
import type { NotificationEvent, NotificationEventType } from "../domain/records.ts";
import { bodyOf, timeFields, webhookTypes } from "./body.ts";
import { type Delivery, type Subscriber, type Told, webhooks } from "./rule.ts";

const noon = Date.parse("2026-11-22T12:00:00Z");

const happened = (type: NotificationEventType, more: Partial<NotificationEvent> = {}): NotificationEvent => ({
  id: "event-1",
  type,
  notificationId: "n-1",
  userId: "ada",
  conversationId: "chat-1",
  messageIds: [],
  channel: "EMAIL",
  email: null,
  reason: null,
  statusCode: null,
  diagnostic: null,
  url: null,
  agent: null,
  snapshot: null,
  occurredAt: noon,
  ...more,
});

const told = (event: NotificationEvent, at = noon): Told => ({ key: event.userId, at, loggedAt: at, event });
const rows = { get: () => undefined, expect: () => undefined };
const endpoint = (id: string, types: Subscriber["types"] = null): Subscriber => ({
  id,
  types,
  url: "https://x.example/",
});
const enqueued = (event: NotificationEvent, ...subscribers: readonly Subscriber[]) =>
  webhooks
    .fold(told(event), rows, subscribers)
    .effects.flatMap((effect) => (effect.type === "enqueue" ? [effect] : []));
const parsed = (event: NotificationEvent): unknown => JSON.parse(bodyOf(event));

describe("a delivery", () => {
  test("is queued once for every endpoint, under the ids of the event and the endpoint", () => {
    const jobs = enqueued(happened("SENT"), endpoint("ep_1"), endpoint("ep_2"));
    expect(jobs.map(({ queue, id, runAt }) => ({ queue, id, runAt }))).toEqual([
      { queue: "webhooks", id: "event-1/ep_1", runAt: noon },
      { queue: "webhooks", id: "event-1/ep_2", runAt: noon },
    ]);
  });

  test("is queued only for endpoints that want the event's type", () => {
    const picky = endpoint("ep_1", ["notification.bounced", "notification.link.clicked"]);
    expect(enqueued(happened("SENT"), picky)).toEqual([]);
    expect(enqueued(happened("BOUNCED"), picky)).toHaveLength(1);
    expect(enqueued(happened("LINK_CLICKED"), picky)).toHaveLength(1);
  });

  test("is not made without endpoints, and no row is ever written", () => {
    expect(webhooks.fold(told(happened("SENT")), rows, [])).toEqual({ writes: [], effects: [] });
    expect(webhooks.rows(told(happened("SENT")))).toEqual([]);
  });

  test("has the same bytes for every endpoint, and when the event is published again", () => {
    const bodies = [1, 2].flatMap(() =>
      enqueued(happened("OPENED"), endpoint("ep_1"), endpoint("ep_2")).map(({ payload }) => (payload as Delivery).body),
    );
    expect(new Set(bodies).size).toBe(1);
  });

  test("holds the endpoint, the event, its type and the body, and survives being stored as JSON", () => {
    const nasty = happened("TRIGGERED", { reason: 'NUL \0, quote ", lone \ud800, line \u2028' });
    const [job] = enqueued(nasty, endpoint("ep_1"));
    const stored = JSON.stringify(job?.payload);
    expect(stored).not.toMatch(/(?<!\\)\\u0000/);
    expect(JSON.parse(stored)).toEqual({
      endpointId: "ep_1",
      eventId: "event-1",
      type: "notification.triggered",
      body: bodyOf(nasty),
    });
  });
});

describe("a record", () => {
  const at = { topic: "notifications", key: "ada", at: noon, loggedAt: noon } as const;

  test("is read as an event under its recipient's key, a tombstone as nothing", () => {
    const value = happened("SENT");
    expect(webhooks.read({ ...at, value })).toEqual([{ key: "ada", at: noon, loggedAt: noon, event: value }]);
    expect(webhooks.read({ ...at, value: null })).toEqual([]);
  });

  test.each(["", "with space", "with.stop", "line\nbreak", "ünicode", "x".repeat(501)])(
    "is poison where its id (%j) can't be a webhook-id",
    (id) => expect(() => webhooks.read({ ...at, value: happened("SENT", { id }) })).toThrow(Poison),
  );
});

describe("a body", () => {
  test.each([
    ["TRIGGERED", "notification.triggered"],
    ["LINK_CLICKED", "notification.link.clicked"],
    ["UNSUBSCRIBED", "notification.unsubscribed"],
  ] as const)("of the event %s has the type %s", (type, name) => {
    expect(parsed(happened(type))).toMatchObject({ type: name });
  });

  test("has the event's symbol in lower case as its type, but for link.clicked", () => {
    const regular = Object.entries(webhookTypes).filter(([symbol]) => symbol !== "LINK_CLICKED");
    expect(regular.map(([, name]) => name)).toEqual(regular.map(([symbol]) => `notification.${symbol.toLowerCase()}`));
  });

  test("is id, type, timestamp and data, without null fields, with times in ISO 8601 and empty lists", () => {
    expect(parsed(happened("SENT", { email: "ada@example.com" }))).toEqual({
      id: "event-1",
      type: "notification.sent",
      timestamp: "2026-11-22T12:00:00.000Z",
      data: {
        id: "event-1",
        type: "SENT",
        notificationId: "n-1",
        userId: "ada",
        conversationId: "chat-1",
        messageIds: [],
        channel: "EMAIL",
        email: "ada@example.com",
        occurredAt: "2026-11-22T12:00:00.000Z",
      },
    });
  });

  test("has times in ISO 8601 deep in the snapshot too, but leaves custom fields as they are", () => {
    const person = { userId: "ada", name: "Ada", emails: [], role: null, locale: null, timezone: null, photoUrl: null };
    const snapshot = {
      recipient: { ...person, custom: { occurredAt: "12" } },
      conversations: [
        {
          conversationId: "chat-1",
          subject: null,
          photoUrl: null,
          custom: {},
          access: "READ",
          omitted: 0,
          messages: [
            {
              messageId: "m-1",
              kind: "USER",
              sender: null,
              text: "hi",
              mentioned: false,
              attachments: [],
              referencedMessageId: null,
              occurredAt: noon - 1,
            },
          ],
        },
      ],
    };
    expect(parsed(happened("TRIGGERED", { snapshot }))).toMatchObject({
      data: {
        snapshot: {
          recipient: { userId: "ada", custom: { occurredAt: "12" } },
          conversations: [{ omitted: 0, messages: [{ occurredAt: "2026-11-22T11:59:59.999Z" }] }],
        },
      },
    });
  });

  test("writes every field that the schema declares as a time in ISO 8601", () => {
    const schema: unknown = JSON.parse(
      readFileSync(new URL("../../schemas/notification-event.avsc", import.meta.url), "utf8"),
    );
    const times = new Set<string>();
    const visit = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      const { name, type } = node as { name?: string; type?: { logicalType?: string } };
      if (type?.logicalType === "timestamp-millis" && name !== undefined) times.add(name);
      Object.values(node).forEach(visit);
    };
    visit(schema);
    expect(timeFields).toEqual(times);
  });

  test("parses back to the event's texts, whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.string()), (reason, messageIds) => {
        expect(parsed(happened("SUPPRESSED", { reason, messageIds }))).toMatchObject({ data: { reason, messageIds } });
      }),
    );
  });
});
