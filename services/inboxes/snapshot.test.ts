import { describe, expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import { type ChatRow, type ConversationRow, type MessageRow, newConversation } from "../domain/conversation-rows.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import { adaWith, missed, profile, reads, together, withdrawn } from "../../test/support/inbox.ts";
import { at, user } from "../../test/support/chat.ts";

const row = (messageId: string, clock: string, more: Partial<MessageRow> = {}): MessageRow => ({
  type: "message",
  conversationId: "c",
  messageId,
  kind: "USER",
  isSent: true,
  isImport: false,
  versions: [],
  deletedAt: null,
  senderId: "bob",
  text: `text of ${messageId}`,
  attachments: [],
  mentions: [],
  referencedMessageId: null,
  at: at(clock),
  loggedAt: at(clock),
  isDeleted: false,
  ...more,
});
const room = (more: Partial<ConversationRow> = {}): ConversationRow => ({ ...newConversation("c"), ...more });
const system = (messageId: string, clock: string, more: Partial<MessageRow> = {}): MessageRow =>
  row(messageId, clock, { kind: "SYSTEM", senderId: null, ...more });

const notified = (chat: readonly ChatRow[], ...said: readonly NewRecord[]) =>
  adaWith(...chat)
    .after(...said)
    .until("23:00")
    .notification();
const shown = (chat: readonly ChatRow[], ...said: readonly NewRecord[]) => {
  const view = notified(chat, ...said).snapshot?.conversations[0];
  if (view === undefined) throw new Error("no conversation is shown");
  return view;
};

/** A number of missed messages, one second apart from 12:01 on. */
const many = (count: number): readonly NewRecord[] =>
  Array.from({ length: count }, (_none, index) => missed(`m${index + 1}`, secondsAfter(index)));
const secondsAfter = (index: number): string => `12:${1 + Math.floor(index / 60)}:${index % 60}`;
const ids = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_none, index) => `m${from + index}`);
/** Message rows for `many`. */
const rows = (count: number): readonly MessageRow[] =>
  Array.from({ length: count }, (_none, index) => row(`m${index + 1}`, secondsAfter(index)));

describe("notifications about many messages", () => {
  // The messages fall within the timeout of the first, so that one notification is about all.
  const lot = many(290);

  test("a notification lists all message ids, shows the latest 20 messages and counts the omitted ones", () => {
    const event = notified(rows(290), ...lot);
    expect(event.messageIds).toEqual(ids(1, 290));
    const [view] = event.snapshot?.conversations ?? [];
    expect(view?.messages.map(({ messageId }) => messageId)).toEqual(ids(271, 290));
    expect(view?.omitted).toBe(270);
  });

  const quarters = Array.from({ length: 601 }, (_none, index) =>
    missed(`m${index + 1}`, `12:${1 + Math.floor(index / 240)}:${(index % 240) / 4}`),
  );
  const dense = together(quarters);

  test("a notification lists at most the latest 500 message ids", () => {
    const event = notified([], dense);
    expect(event.messageIds).toEqual(ids(102, 601));
    expect(event.snapshot?.conversations[0]?.omitted).toBe(581);
    expect(event.notificationId).toBe(notified([], missed("m1", "12:01")).notificationId);
  });

  test("`omitted` is exact after a READ, whether the messages left are listed or not", () => {
    const last = dense.timestamp ?? 0;
    const read = (count: number): NewRecord => reads("12:04", null, { readUntil: last - count * 250 });
    const left = (count: number): number => {
      const event = notified([], dense, read(count));
      expect(event.messageIds).toEqual(ids(602 - count, 601));
      return event.snapshot?.conversations[0]?.omitted ?? -1;
    };
    expect([left(21), left(499)]).toEqual([1, 479]);
  });

  test("`omitted` falls by one for each withdrawn message", () => {
    const event = notified([], ...lot, withdrawn("m290", "12:05:50"), withdrawn("m100", "12:05:50"));
    expect(event.messageIds).toHaveLength(288);
    expect(event.snapshot?.conversations[0]?.omitted).toBe(268);
  });
});

describe("contents of a notification", () => {
  test("a notification shows the conversation, the latest texts of its messages, and their senders", () => {
    const chat = [
      room({
        subject: "Launch",
        photoUrl: "https://x/p",
        custom: { a: "1" },
        participants: [{ userId: "ada", access: "READ", notify: "ALL", since: 0 }],
      }),
      row("m1", "12:01", { text: "edited since", referencedMessageId: "m0" }),
      row("m2", "12:02", {
        senderId: "eve",
        attachments: [{ name: "a", url: "https://x/a", mimeType: "text/plain", size: 3 }],
      }),
    ];
    const view = shown(
      chat,
      user("bob", "12:00", { name: "Bob", emails: ["bob@example.org"], role: "guest" }),
      missed("m1", "12:01"),
      missed("m2", "12:02", { senderId: "eve", mentioned: ["ada"] }),
    );
    expect(view).toMatchObject({ conversationId: "c", subject: "Launch", photoUrl: "https://x/p", custom: { a: "1" } });
    expect(view.access).toBe("READ");
    expect(view.messages).toMatchObject([
      {
        messageId: "m1",
        text: "edited since",
        mentioned: false,
        referencedMessageId: "m0",
        sender: { name: "Bob", emails: [], role: "guest" },
      },
      { messageId: "m2", mentioned: true, occurredAt: at("12:02"), sender: { userId: "eve", name: "eve", emails: [] } },
    ]);
    expect(view.messages[1]?.attachments).toEqual([{ name: "a", url: "https://x/a", mimeType: "text/plain", size: 3 }]);
  });

  test("a notification shows its recipient by the latest profile, or by id where there is none", () => {
    const more = { name: "Ada", emails: ["a@example.org", "b@example.org"], locale: "de", timezone: "Europe/Berlin" };
    const known = notified([], profile("12:00"), missed("m1", "12:01"), profile("12:02", more)).snapshot?.recipient;
    expect(known).toMatchObject({ userId: "ada", ...more });
    expect(notified([], missed("m1", "12:01")).snapshot?.recipient).toMatchObject({ name: "ada", emails: [] });
    const role = "r".repeat(MAX_ID_LENGTH);
    expect(notified([], profile("12:00", { role }), missed("m1", "12:01")).snapshot?.recipient.role).toBe(role);
    const none = notified([], profile("12:00", { emails: null }), missed("m1", "12:01")).snapshot?.recipient;
    expect(none?.emails).toEqual([]);
  });

  test("a notification about unknown messages carries their ids, without texts or a description of the conversation", () => {
    const event = notified([], missed("m1", "12:01"));
    expect(event.messageIds).toEqual(["m1"]);
    expect(event.snapshot?.conversations).toEqual([
      {
        conversationId: "c",
        subject: null,
        photoUrl: null,
        custom: {},
        access: "READ_WRITE",
        messages: [],
        omitted: 0,
      },
    ]);
  });

  test("a notification leaves out a message deleted since", () => {
    const chat = [row("m1", "12:01", { isDeleted: true, text: "" }), row("m2", "12:02")];
    const view = shown(chat, missed("m1", "12:01"), missed("m2", "12:02"));
    expect(view.messages.map(({ messageId }) => messageId)).toEqual(["m2"]);
  });

  test("a notification shows system messages from its first message until now, in their places, without deleted ones", () => {
    const systemMessages = [
      system("before", "12:00:59"),
      system("between", "12:01:30"),
      system("deleted", "12:01:40", { isDeleted: true }),
      system("after", "12:05"),
      system("later", "12:06:01"),
    ];
    const view = shown(
      [room({ systemMessages }), row("m1", "12:01"), row("m2", "12:02")],
      missed("m1", "12:01"),
      missed("m2", "12:02"),
    );
    expect(view.messages.map(({ messageId }) => messageId)).toEqual(["m1", "between", "m2", "after"]);
    expect(view.messages[1]).toMatchObject({ kind: "SYSTEM", sender: null, mentioned: false });
    expect(view.omitted).toBe(0);
  });
});
