import { expect, test } from "vitest";
import { why } from "../../services/ops/why/why.ts";
import { settingsSet } from "../../services/ops/settings/roles.ts";
import { message, participant, user } from "../support/chat.ts";
import { eventually, world } from "../support/world.ts";

test("`why` explains a mail that was sent, a mail withheld for a role, and a message that was never for somebody", async () => {
  const chat = await world();
  await settingsSet(chat, "quiet", ["timeout=0", "settle=0", "emailEnabled=false"], Date.now());
  await using _ = chat.serve();
  const said = { occurredAt: Date.now() };
  await chat.publish(
    user("ada", "0:00", said),
    user("eve", "0:00", { ...said, role: "quiet" }),
    participant("c", "ada", "0:00", said),
    participant("c", "eve", "0:00", said),
    participant("c", "bob", "0:00", said),
    message("c", "bob", "m", "0:00", { occurredAt: said.occurredAt + 1 }),
  );
  await eventually(async () => {
    const told = await why(chat, { user: "ada", conversation: "c", message: "m" });
    expect(told.map(({ what }) => what)).toEqual(["CANDIDATE", "TRIGGERED", "SENT"]);
  });
  await eventually(async () => {
    const told = await why(chat, { user: "eve" });
    expect(told.map(({ what, reason }) => [what, reason])).toEqual([
      ["CANDIDATE", null],
      ["TRIGGERED", null],
      ["SUPPRESSED", "role_disabled"],
    ]);
  });
  await eventually(async () => {
    const told = await why(chat, { user: "bob" });
    expect(told.map(({ what, reason }) => [what, reason])).toEqual([["REJECTED", "self"]]);
  });
  expect(chat.mailbox.mails().map(({ to }) => to)).toEqual([["ada@example.org"]]);
});
