import { describe, expect, test } from "vitest";
import { newConversation } from "../domain/conversation-rows.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import { at, user } from "../../test/support/chat.ts";
import { adaWith, missed, profile, together } from "../../test/support/inbox.ts";
import { boundedAddresses, boundedAttachments, boundedCustom, cut, linkOrNull } from "./bounds.ts";

const file = (name: string, url = `https://x/${name}`) => ({ name, url, mimeType: "text/plain", size: 1 });

test("a text beyond the limit is cut between characters and ends with an ellipsis", () => {
  expect(cut("four", 4)).toBe("four");
  expect(cut("fives", 4)).toBe("five…");
  expect(cut("abc👾", 4)).toBe("abc…");
  expect(cut("ab👾c", 4)).toBe("ab👾…");
});

test("a URL beyond the limit is left out, never cut", () => {
  expect(linkOrNull("https://x/")).toBe("https://x/");
  expect(linkOrNull(`https://x/${"a".repeat(2_000)}`)).toBeNull();
  expect(linkOrNull(null)).toBeNull();
});

test("custom values and addresses are kept in order while they fit the limit", () => {
  expect(boundedCustom({ a: "1", b: "x".repeat(3_998), c: "2" })).toEqual({ a: "1" });
  expect(boundedCustom(JSON.parse('{"__proto__": "x"}') as Record<string, string>)).toHaveProperty(["__proto__"], "x");
  const addresses = Array.from({ length: 5_000 }, (_none, index) => `ada+${index}@example.org`);
  const kept = boundedAddresses(addresses);
  expect(kept.length).toBeGreaterThan(1_000);
  expect(kept).toEqual(addresses.slice(0, kept.length));
  const strange = [...Array.from({ length: 1_000_000 }, () => ""), "a".repeat(100_000), "ada@example.org"];
  expect(boundedAddresses(strange)).toEqual(["", "ada@example.org"]);
});

describe("attachments", () => {
  test("a few attachments are kept unchanged", () => {
    const few = [[file("a"), file("b")], [], [file("c")]];
    expect(boundedAttachments(few)).toEqual(few);
  });

  test("attachments are limited to 20 a message, without `data:` URLs, and the latest messages' are kept first", () => {
    const lot = Array.from({ length: 30 }, (_none, index) => file(`f${index}`));
    expect(boundedAttachments([lot])[0]).toHaveLength(20);
    expect(boundedAttachments([[file("a", `data:image/png;base64,${"A".repeat(3_000)}`), file("b")]])).toEqual([
      [file("b")],
    ]);
    const large = (name: string) => file(name, `https://x/${"a".repeat(1_980)}`);
    const kept = boundedAttachments(
      Array.from({ length: 4 }, (_none, message) =>
        Array.from({ length: 20 }, (_nothing, index) => large(`${message}-${index}`)),
      ),
    );
    expect(kept.map(({ length }) => length)).toEqual([0, 9, 20, 20]);
  });
});

test("a notification of the largest parts stays below the record limit of its topic", () => {
  const long = "ä".repeat(100_000);
  const id = (index: number): string => `${"語".repeat(MAX_ID_LENGTH - 4)}${String(index).padStart(4, "0")}`;
  const custom = Object.fromEntries(Array.from({ length: 100 }, (_none, index) => [`語${index}`, "語".repeat(500)]));
  const huge = { name: long, photoUrl: `https://x/${long}`, locale: long, timezone: long, role: long, custom };
  const emails = Array.from({ length: 10_000 }, (_none, index) => `ada+語${index}@example.org`);
  const attachment = file("語".repeat(1_000), `https://x/${"語".repeat(1_900)}`);
  const message = (index: number, kind: "USER" | "SYSTEM" = "USER") => ({
    type: "message" as const,
    conversationId: "c",
    messageId: id(index),
    kind,
    isSent: true,
    isImport: false,
    versions: [],
    deletedAt: null,
    senderId: id(index),
    text: "語".repeat(9_000),
    attachments: Array.from({ length: 50 }, () => attachment),
    mentions: [],
    referencedMessageId: long,
    at: at("12:01"),
    loggedAt: at("12:01"),
    isDeleted: false,
  });
  const count = 520;
  const room = {
    ...newConversation("c"),
    subject: long,
    photoUrl: long,
    custom,
    systemMessages: Array.from({ length: 20 }, (_none, index) => message(count + index, "SYSTEM")),
  };
  const shown = Array.from({ length: 20 }, (_none, index) => count - 20 + index);
  const event = adaWith(room, ...shown.map((index) => message(index)))
    .after(
      profile("12:00", { ...huge, emails }),
      ...shown.map((index) => user(id(index), "12:00", huge)),
      together(Array.from({ length: count }, (_none, index) => missed(id(index), "12:01", { senderId: id(index) }))),
    )
    .until("23:00")
    .notification();
  expect(event.messageIds).toHaveLength(500);
  expect(event.snapshot?.conversations[0]?.messages).toHaveLength(40);
  expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(2_000_000);
});
