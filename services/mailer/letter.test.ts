import { describe, expect, test } from "vitest";
import { Poison } from "../core/failure.ts";
import { eventId } from "../core/ids.ts";
import type { NotificationEvent, NotificationEventType } from "../core/records.ts";
import { conversation, grace, message, NOON, person, triggered } from "./example.ts";
import { mailer } from "./letter.ts";

const ada = person("Ada Lovelace");
const chat = conversation("Launch plan", [message(ada, "Hello")]);

const effectsOf = (event: NotificationEvent) =>
  mailer
    .read({
      topic: "notifications",
      key: event.userId,
      value: event,
      at: event.occurredAt,
      timestamp: event.occurredAt,
    })
    .flatMap((read) => mailer.fold(read, { get: () => undefined, expect: () => undefined }, undefined).effects);

const told = (event: NotificationEvent) =>
  effectsOf(event).flatMap((effect) =>
    effect.type === "publish" && effect.topic === "notifications" ? [effect.value] : [],
  );
const letters = (event: NotificationEvent) =>
  effectsOf(event).flatMap((effect) => (effect.type === "enqueue" ? [effect] : []));
const mailed = (...emails: string[]) => triggered([chat], { ...grace, emails });

describe("a notification", () => {
  test("becomes one letter for each address, due when it was decided", () => {
    const event = mailed("grace@example.com", "hopper@example.org");
    expect(letters(event)).toEqual(
      ["grace@example.com", "hopper@example.org"].map((address) => ({
        type: "enqueue",
        queue: "mail",
        id: `n-1/${address}`,
        payload: { address, event },
        runAt: NOON,
      })),
    );
    expect(told(event)).toEqual([]);
  });

  test("is one letter to an address that is on record twice, two where they differ in case", () => {
    const ids = letters(mailed("a@example.com", "a@example.com", "A@example.com")).map(({ id }) => id);
    expect(ids).toEqual(["n-1/a@example.com", "n-1/A@example.com"]);
  });

  test("without an address is suppressed", () => {
    expect(letters(mailed())).toEqual([]);
    expect(told(mailed())).toEqual([
      expect.objectContaining({
        id: eventId("n-1", "SUPPRESSED"),
        type: "SUPPRESSED",
        reason: "no_address",
        notificationId: "n-1",
        userId: "grace",
        conversationId: "c-1",
        messageIds: [],
        email: null,
        snapshot: null,
        occurredAt: NOON,
      }),
    ]);
  });

  test.each([
    ["no conversation", []],
    ["no message", [conversation("Launch plan", [])]],
    ["only system messages", [conversation("Launch plan", [message(null, "Ada joined", { kind: "SYSTEM" })])]],
  ])("with %s left to show is superseded", (_, conversations) => {
    expect(letters(triggered(conversations))).toEqual([]);
    expect(told(triggered(conversations))).toMatchObject([{ type: "SUPPRESSED", reason: "superseded" }]);
  });

  test.each([
    ["", "the address is empty"],
    ["nobody", "the address has no @"],
    ["@example.com", "the address has nothing before its @"],
    ["a@", "the address has no valid domain after its @"],
    ["a@exa mple.com", "the address has no valid domain after its @"],
    ["a@example..com", "the address has no valid domain after its @"],
    ["a@example.com\r\nRCPT TO:<eve@example.com>", "the address contains control characters"],
    ["a\0@example.com", "the address contains control characters"],
    ["a\u2028b@example.com", "the address contains control characters"],
    ["a\uD800@example.com", "the address contains control characters"],
    ["a> <eve@example.com", "the address has characters before its @ that don't belong there"],
    ["Ada <ada@example.com>", "the address has characters before its @ that don't belong there"],
    ["a,b@example.com", "the address has characters before its @ that don't belong there"],
    ["eve@evil.com@example.com", "the address has characters before its @ that don't belong there"],
    [`${"a".repeat(250)}@example.com`, "the address is longer than 254 octets"],
  ])("to the address %j, which fits no envelope, bounces hard and goes to the others", (address, why) => {
    expect(letters(mailed(address, "grace@example.com")).map(({ id }) => id)).toEqual(["n-1/grace@example.com"]);
    expect(told(mailed(address, "grace@example.com"))).toEqual([
      expect.objectContaining({
        type: "BOUNCED",
        reason: "hard",
        email: address,
        diagnostic: `not sent: ${why}`,
        statusCode: null,
        id: eventId("n-1", "BOUNCED", address),
      }),
    ]);
  });

  test.each(["用户@例子.广告", "o'brien+chat@mail.example.co.uk", "a..b@docomo.example", "x@localhost"])(
    "goes to the unusual address %s",
    (address) => expect(letters(mailed(address))).toHaveLength(1),
  );

  test("without a snapshot is a record that cannot be taken", () => {
    expect(() => effectsOf({ ...mailed("a@example.com"), snapshot: null })).toThrow(Poison);
  });
});

test.each([
  "SUPPRESSED",
  "SENT",
  "DELIVERED",
  "BOUNCED",
  "COMPLAINED",
  "OPENED",
  "LINK_CLICKED",
  "UNSUBSCRIBED",
  "RESUBSCRIBED",
  "REPLIED",
] as NotificationEventType[])("nothing follows from %s", (type) => {
  expect(effectsOf({ ...mailed("a@example.com"), type })).toEqual([]);
});

test("nothing follows from a tombstone or another topic", () => {
  expect(mailer.read({ topic: "notifications", key: "grace", value: null, at: NOON, timestamp: NOON })).toEqual([]);
  expect(mailer.read({ topic: "users", key: "grace", value: null, at: NOON, timestamp: NOON })).toEqual([]);
});
