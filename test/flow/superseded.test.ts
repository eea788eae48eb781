import type { NotificationEvent } from "../../services/domain/records.ts";
import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { outdated, presentOf } from "../../services/mailer/outdated.ts";
import { rowLookup } from "../../services/platform/runtime/row-lookup.ts";
import { at, conversation, message, participant, presence, user } from "../support/chat.ts";
import { wholeTopology } from "../support/memory.ts";

/** The reason why the mail about the only notification is outdated, after more records. */
const afterwards = async (...said: readonly NewRecord[]): Promise<string | null> => {
  await using chat = await wholeTopology();
  await chat.advance(at("12:00"));
  await chat.publish(
    user("ada", "12:00"),
    conversation("c", "12:00"),
    participant("c", "ada", "12:00"),
    participant("c", "bob", "12:00"),
  );
  await chat.advance(at("12:01"));
  await chat.publish(message("c", "bob", "m1", "12:00:30"), message("c", "bob", "m2", "12:01"));
  await chat.advance(at("12:10"));
  await chat.publish(...said);
  await chat.advance(at("12:11"));
  const [event] = chat.values("notifications") as readonly NotificationEvent[];
  if (event?.snapshot === null || event === undefined) throw new Error("nobody was told");
  const { log, store } = chat.world;
  return outdated(
    event.snapshot,
    "ada@example.org",
    event.occurredAt,
    await presentOf("ada", event.snapshot, rowLookup(log, store)),
  );
};
const gone = (topic: "users" | "conversations", key: string): NewRecord => ({ topic, key, value: null });

test.each<readonly [string, string | null, readonly NewRecord[]]>([
  ["is sent where nothing has happened", null, []],
  [
    "is sent where not all was read",
    null,
    [presence("ada", "READ", "12:10", { conversationId: "c", readUntil: at("12:00:30") })],
  ],
  ["is superseded where all was read", "superseded", [presence("ada", "READ", "12:10", { conversationId: "c" })]],
  ["is superseded where the recipient has written since", "superseded", [message("c", "ada", "m3", "12:10")]],
  ["is not sent to a deleted user", "user_deleted", [gone("users", "ada")]],
  ["is not sent about a deleted conversation", "conversation_deleted", [gone("conversations", "c")]],
])("a mail %s, by the rows of the other services", async (_, reason, said) => {
  expect(await afterwards(...said)).toBe(reason);
});
