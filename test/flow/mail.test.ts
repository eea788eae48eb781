import { expect, test } from "vitest";
import { conversation, message, participant, presence, user } from "../support/chat.ts";
import { eventually, world } from "../support/world.ts";

test("a missed message becomes a mail to every address, and a webhook for each step", async () => {
  const chat = await world();
  await using _ = chat.serve();
  await chat.publish(
    user("ada", "12:00", { name: "Ada", emails: ["ada@example.org", "ada@example.com"] }),
    user("bob", "12:00", { name: "Bob" }),
    conversation("c", "12:00", { subject: "Launch" }),
    participant("c", "ada", "12:00"),
    participant("c", "bob", "12:00"),
  );
  // The profile and the participants are on topics of their own: the message waits until they are known.
  await eventually(async () => {
    const [row] = await chat.database.query<{ users: number; members: number }>(
      `select (select count(*) from state_inboxes) as users, (select count(*) from state_conversations) as members`,
    );
    expect(row).toEqual({ users: 2, members: 1 });
  });
  await chat.publish(message("c", "bob", "m1", "12:01", { text: "The rocket is ready." }));
  await eventually(() => expect(chat.mailbox.mails()).toHaveLength(2));
  const mails = await Promise.all(chat.mailbox.mails().map(({ id }) => chat.mailbox.read(id)));
  expect(mails.map((mail) => mail?.To[0]?.Address ?? "").toSorted()).toEqual(["ada@example.com", "ada@example.org"]);
  expect(mails[0]?.Text).toContain("The rocket is ready.");
  expect(mails[0]?.HTML).toContain("The rocket is ready.");
  expect(mails[0]?.Text).toContain("https://chat.example/c/c");
  await eventually(() => {
    expect(chat.receiver.summary()).toMatchObject({ received: 3, distinct: 3, verified: 3, repeated: 0 });
  });
  const types = chat.receiver.deliveries().map(({ type }) => type);
  expect(types.toSorted()).toEqual(["notification.sent", "notification.sent", "notification.triggered"]);
});

test("a message that was read before it was due is not mailed", async () => {
  const chat = await world({}, { timeout: 2 });
  await using _ = chat.serve();
  const now = new Date(Date.now()).toISOString();
  const occurredAt = Date.parse(now);
  const said = { occurredAt };
  await chat.publish(
    user("ada", "12:00", said),
    user("eve", "12:00", said),
    participant("c", "ada", "12:00", said),
    participant("c", "eve", "12:00", said),
    participant("c", "bob", "12:00", said),
    message("c", "bob", "m1", "12:00", said),
    presence("ada", "READ", "12:00", { conversationId: "c", occurredAt: occurredAt + 1 }),
  );
  await eventually(() => expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["eve@example.org"]]));
});
