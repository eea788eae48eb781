import { expect, describe, test } from "vitest";
import type { NotificationEvent } from "../../domain/records.ts";
import { compose } from "./compose.ts";
import { conversation, message, person, triggered } from "./notification.fixture.ts";
import { renderer } from "./render.ts";
import { readTemplates } from "./templates.ts";

const render = renderer(await readTemplates());
const branding = { productName: "Chatterbox", joinUrl: "https://chat.example.com/c/{conversationId}" };

const viewOf = (event: NotificationEvent) => {
  if (event.snapshot === null) throw new Error("no snapshot");
  return compose(event, event.snapshot, branding);
};
const mail = (event: NotificationEvent) => render(viewOf(event));
const ada = person("Ada Lovelace");

describe("a mail about many messages", () => {
  test.each([
    ["&".repeat(5_000), 0],
    ["漢".repeat(5_000), 0],
    ["\n&".repeat(5_000), 9],
    ["Hi", 9],
  ])("has HTML below the 102,400 octets at which Gmail clips a mail: %#", (text, files) => {
    const url = `https://files.example.com/?${"&".repeat(1_900)}`;
    const file = { name: "&".repeat(900), url, mimeType: "x", size: 999_999 };
    const attachments = Array.from({ length: files }, () => file);
    const talkative = Array.from({ length: 20 }, (_, index) =>
      message(person("&".repeat(500), { userId: `u-${index}`, photoUrl: url }), text, {
        mentioned: true,
        attachments,
      }),
    );
    for (const several of [1, 4, 30]) {
      const conversations = Array.from({ length: several }, (_, index) =>
        conversation("&".repeat(900), talkative, { conversationId: `c-${index}`, photoUrl: url }),
      );
      const shown = mail(triggered(conversations)).html;
      expect(new TextEncoder().encode(shown).length).toBeLessThan(102_400);
      expect(shown).toContain("Join the conversation");
    }
  });

  test("leaves out what exceeds its budget, and counts it", () => {
    const talk = Array.from({ length: 30 }, (_, index) =>
      conversation("X", Array(20).fill(message(ada, "word ".repeat(150))), {
        conversationId: `c-${index}`,
        omitted: 5,
      }),
    );
    const view = viewOf(triggered(talk));
    expect(view.counts).toMatchObject({ messages: 750, conversations: 30, conversationsOmitted: 20 });
    for (const { count, omitted, messages } of view.conversations) {
      expect(messages.length).toBeGreaterThan(1);
      expect(omitted + messages.length).toBe(count);
    }
    expect(render(view).html).toContain("There are 20 more conversations with new messages.");
  });

  test("shows the first attachments of a message and counts the others", () => {
    const file = { name: "a.txt", url: "https://files.example.com/a", mimeType: "text/plain", size: 1 };
    const shown = mail(
      triggered([conversation("X", [message(ada, "", { attachments: Array.from({ length: 10 }, () => file) })])]),
    );
    expect(shown.html).toContain(">and 2 more<");
    expect(shown.text).toContain("    [and 2 more]\n");
  });
});

test("messages of one sender are one run until another sender writes or ten minutes pass", () => {
  const at = (occurredAt: number, sender = ada) => message(sender, "Hi", { occurredAt: occurredAt * 60_000 });
  const talk = [
    at(0),
    at(10),
    at(21),
    at(22, person("Alan Turing")),
    at(23),
    message(null, "x", { kind: "SYSTEM", occurredAt: 0 }),
  ];
  const [shown] = viewOf(triggered([conversation("X", talk)])).conversations;
  expect(shown?.runs.map((run) => [run.sender.name, run.kind, run.messages.length])).toEqual([
    ["Ada Lovelace", "USER", 2],
    ["Ada Lovelace", "USER", 1],
    ["Alan Turing", "USER", 1],
    ["Ada Lovelace", "USER", 1],
    ["Someone", "SYSTEM", 1],
  ]);
});

test.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["Juan Carlos de la Cruz", "JC"],
  ["王小明", "王"],
  ["ليلى حسن", "لح"],
  ["🦊 Fox", "F"],
  ["👩‍👩‍👧", "👩‍👩‍👧"],
  ["(admin) Bob", "B"],
  ["", "S"],
  ["\u200B\u202E", "S"],
])("the initials of %j are %s", (name, initials) => {
  const [shown] = viewOf(triggered([conversation("X", [message(person(name, { userId: "u" }), "Hi")])])).conversations;
  expect(shown?.messages[0]?.sender.initials).toBe(initials);
});
