import { isNote } from "../domain/effect.ts";
import { describe, expect, test } from "vitest";
import { Poison } from "../platform/contract/failure.ts";
import { eventId } from "../domain/ids.ts";
import type { NotificationEvent, NotificationEventType } from "../domain/records.ts";
import { noSettings, type SettingsBook } from "../domain/role-settings.ts";
import { bookOf } from "../../test/support/settings.ts";
import { conversation, grace, message, NOON, person, triggered } from "./content/notification.fixture.ts";
import { mailer, type PreferenceRow } from "./rule.ts";

const ada = person("Ada Lovelace");
const chat = conversation("Launch plan", [message(ada, "Hello")]);

/** State before the notification: rows by key, and settings. */
interface Before {
  readonly rows?: ReadonlyMap<string, PreferenceRow>;
  readonly book?: SettingsBook;
}

const effectsOf = (event: NotificationEvent, { rows = new Map(), book = noSettings }: Before = {}) =>
  mailer
    .read({
      topic: "notifications",
      key: event.userId,
      value: event,
      at: event.occurredAt,
      loggedAt: event.occurredAt,
    })
    .flatMap((read) => mailer.fold(read, { get: (key) => rows.get(key), expect: () => undefined }, book).effects);

const told = (event: NotificationEvent, before?: Before) =>
  effectsOf(event, before).flatMap((effect) =>
    effect.type === "publish" && effect.topic === "notifications" ? [effect.value] : [],
  );
const letters = (event: NotificationEvent, before?: Before) =>
  effectsOf(event, before).flatMap((effect) => (effect.type === "enqueue" ? [effect] : []));
const notes = (event: NotificationEvent, before?: Before) =>
  effectsOf(event, before).flatMap((effect) => (isNote(effect) ? [{ ...effect.entry, users: effect.keys }] : []));

/** Rows after each of Grace's choices; null withdraws the choice. */
const chosen = (...choices: readonly (readonly [at: number, unsubscribed: readonly string[] | null])[]) => {
  const rows = new Map<string, PreferenceRow>();
  for (const [at, unsubscribed] of choices) {
    const value = unsubscribed === null ? null : { userId: "grace", unsubscribed, occurredAt: at };
    for (const event of mailer.read({ topic: "preferences", key: "grace", value, at, loggedAt: at }))
      for (const [key, row] of mailer.fold(
        event,
        { get: (name) => rows.get(name), expect: () => undefined },
        noSettings,
      ).writes)
        if (row === null) rows.delete(key);
        else rows.set(key, row);
  }
  return rows;
};
const mailOff = (since = NOON) => bookOf({ emailEnabled: false }, since);
const mailed = (...emails: string[]) => triggered([chat], { ...grace, emails });

describe("a notification", () => {
  test("becomes one letter for each address, due at the time of the decision", () => {
    const event = mailed("grace@example.com", "hopper@example.org");
    expect(letters(event)).toEqual(
      ["grace@example.com", "hopper@example.org"].map((address) => ({
        type: "enqueue",
        queue: "mail",
        id: `n-1/${address}`,
        payload: { address, event, loggedAt: NOON },
        runAt: NOON,
      })),
    );
    expect(told(event)).toEqual([]);
  });

  test("becomes one letter for an address listed twice, two where the spellings differ in case", () => {
    const ids = letters(mailed("a@example.com", "a@example.com", "A@example.com")).map(({ id }) => id);
    expect(ids).toEqual(["n-1/a@example.com", "n-1/A@example.com"]);
  });

  test("to a user without an address is suppressed", () => {
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
  ])("with %s to show is superseded", (_, conversations) => {
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
  ])("bounces hard for the invalid address %j and goes to the other addresses", (address, problem) => {
    expect(letters(mailed(address, "grace@example.com")).map(({ id }) => id)).toEqual(["n-1/grace@example.com"]);
    expect(told(mailed(address, "grace@example.com"))).toEqual([
      expect.objectContaining({
        type: "BOUNCED",
        reason: "hard",
        email: address,
        diagnostic: `not sent: ${problem}`,
        statusCode: null,
        id: eventId("n-1", "BOUNCED", address),
      }),
    ]);
  });

  test.each(["用户@例子.广告", "o'brien+chat@mail.example.co.uk", "a..b@docomo.example", "x@localhost"])(
    "goes to the unusual address %s",
    (address) => expect(letters(mailed(address))).toHaveLength(1),
  );

  test("goes to every address but the unsubscribed ones, whatever their case", () => {
    const event = mailed("Grace@Example.com", "hopper@example.org");
    const rows = chosen([NOON, ["gRACE@example.com"]]);
    expect(letters(event, { rows }).map(({ id }) => id)).toEqual(["n-1/hopper@example.org"]);
    expect(told(event, { rows })).toEqual([]);
  });

  test("to unsubscribed addresses alone is suppressed, with its reason in the ledger", () => {
    const rows = chosen([NOON, ["grace@example.com"]]);
    const event = mailed("grace@example.com");
    expect(letters(event, { rows })).toEqual([]);
    expect(told(event, { rows })).toMatchObject([{ type: "SUPPRESSED", reason: "unsubscribed", occurredAt: NOON }]);
    expect(notes(event, { rows })).toEqual([
      {
        verdict: "SUPPRESSED",
        reason: "unsubscribed",
        users: ["grace"],
        conversationId: "c-1",
        messageIds: [],
        notificationId: "n-1",
        until: null,
        facts: {},
        occurredAt: NOON,
      },
    ]);
  });

  test.each([
    ["withdrawn", [NOON, null]],
    ["changed", [NOON, []]],
  ] as const)("is mailed again when an unsubscribe is %s", (_, after) => {
    expect(letters(mailed("a@example.com"), { rows: chosen([NOON - 1, ["a@example.com"]], after) })).toHaveLength(1);
  });

  test("follows the newest choice, even if an older choice arrives after it", () => {
    const rows = chosen([NOON, ["a@example.com"]], [NOON - 1, []]);
    expect(told(mailed("a@example.com"), { rows })).toMatchObject([{ reason: "unsubscribed" }]);
  });

  test("to a role whose mail is off when it is decided is suppressed", () => {
    expect(told(mailed("a@example.com"), { book: mailOff() })).toMatchObject([{ reason: "role_disabled" }]);
    expect(letters(mailed("a@example.com"), { book: mailOff(NOON + 1) })).toHaveLength(1);
  });

  test("is suppressed for one reason: no address before role before unsubscribed before superseded", () => {
    const rows = chosen([NOON, ["a@example.com"]]);
    expect(told(mailed(), { rows, book: mailOff() })).toMatchObject([{ reason: "no_address" }]);
    expect(told(mailed("a@example.com"), { rows, book: mailOff() })).toMatchObject([{ reason: "role_disabled" }]);
    const event = triggered([], { ...grace, emails: ["a@example.com"] });
    expect(told(event, { rows })).toMatchObject([{ reason: "unsubscribed" }]);
  });

  test("without a snapshot is poison", () => {
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
] as NotificationEventType[])("the event %s has no effects", (type) => {
  expect(effectsOf({ ...mailed("a@example.com"), type })).toEqual([]);
});

test("a choice under another user's key is poison", () => {
  const value = { userId: "eve", unsubscribed: [], occurredAt: NOON };
  expect(() => mailer.read({ topic: "preferences", key: "grace", value, at: NOON, loggedAt: NOON })).toThrow(Poison);
});

test("a tombstone and a record of another topic are read as nothing", () => {
  expect(mailer.read({ topic: "notifications", key: "grace", value: null, at: NOON, loggedAt: NOON })).toEqual([]);
  expect(mailer.read({ topic: "users", key: "grace", value: null, at: NOON, loggedAt: NOON })).toEqual([]);
});
