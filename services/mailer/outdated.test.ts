import { describe, expect, test } from "vitest";
import { conversationKey } from "../domain/conversation-rows.ts";
import { inboxRowKey, profileKey } from "../domain/inbox-rows.ts";
import { laneOf } from "../platform/contract/lane.ts";
import { memoryLog } from "../platform/memory/log.ts";
import { conversation, message, NOON, person, triggered } from "./content/notification.fixture.ts";
import { outdated, type Present, presentOf } from "./outdated.ts";
import { rowLookup } from "../platform/runtime/row-lookup.ts";

const ADDRESS = "Grace@example.org";
const ada = person("Ada Lovelace");
const at = (occurredAt: number) => message(ada, "Hi", { occurredAt });
const snapshotOf = (...conversations: readonly ReturnType<typeof conversation>[]) => ({
  recipient: person("Grace"),
  conversations,
});
/** The present state by read position of each conversation: -1 is a deleted conversation, null has no row. */
const now = (...positions: readonly (number | null)[]): Present => ({
  profile: undefined,
  preference: undefined,
  conversations: positions.map((readUntil) => ({
    row: { deletedAt: readUntil === -1 ? NOON + 1 : null, restoredAt: null },
    thread: readUntil === null ? undefined : { readUntil },
  })),
});

describe("a mail", () => {
  const two = snapshotOf(conversation("A", [at(10), at(20)]), conversation("B", [at(15)]));
  test.each([
    ["is sent while no read position is known", [null, null], null],
    ["is sent while one message is unread", [19, 15], null],
    ["is superseded when every message in it was read", [20, 15], "superseded"],
    ["is sent while one conversation has unread messages and the other was deleted", [-1, 14], null],
    ["is superseded when one conversation was read and the other was deleted", [-1, 15], "superseded"],
    ["is suppressed when all its conversations were deleted", [-1, -1], "conversation_deleted"],
  ])("%s", (_, positions, reason) => {
    expect(outdated(two, ADDRESS, NOON, now(...positions))).toBe(reason);
  });

  test("is superseded when only system messages in it are unread", () => {
    const shown = snapshotOf(
      conversation("A", [at(10), message(null, "Ada left", { kind: "SYSTEM", occurredAt: 30 })]),
    );
    expect(outdated(shown, ADDRESS, NOON, now(10))).toBe("superseded");
  });

  test("to a deleted user is suppressed for that reason before any other", () => {
    expect(outdated(two, ADDRESS, NOON, { ...now(20, 15), profile: { deletedAt: NOON + 1, restoredAt: null } })).toBe(
      "user_deleted",
    );
  });

  test("to an address unsubscribed since is suppressed, to another address it is sent", () => {
    const present = { ...now(null, null), preference: { unsubscribed: ["grace@example.org"] } };
    expect(outdated(two, ADDRESS, NOON, present)).toBe("unsubscribed");
    expect(outdated(two, "navy@example.org", NOON, present)).toBeNull();
  });

  test.each([
    ["is sent to a user who was deleted and restored before it was decided", NOON, null],
    ["is suppressed for a user who was restored only after it was decided", NOON + 2, "user_deleted"],
  ])("%s", (_, restoredAt, reason) => {
    expect(outdated(two, ADDRESS, NOON, { ...now(null, null), profile: { deletedAt: NOON - 1, restoredAt } })).toBe(
      reason,
    );
  });
});

test("the present state is looked up in the lanes of the user and of each conversation", async () => {
  const { snapshot, userId } = triggered([
    conversation("A", [at(NOON)], { conversationId: "a" }),
    conversation("B", [at(NOON)], { conversationId: "b" }),
  ]);
  if (snapshot === null) throw new Error("no snapshot");
  const thread = { type: "thread", readUntil: 7 };
  const rows = new Map<string, unknown>([
    [`inboxes ${laneOf(userId, 4)} ${profileKey(userId)}`, { type: "profile", user: null }],
    [`inboxes ${laneOf(userId, 4)} ${inboxRowKey("t", userId, "b")}`, thread],
    [`mailer ${laneOf(userId, 4)} ${userId}`, { unsubscribed: ["a@example.org"], at: 0 }],
    [`conversations ${laneOf("a", 4)} ${conversationKey("a")}`, { type: "conversation", isDeleted: true }],
  ]);
  const store = {
    load: async (processor: string, keys: readonly { lane: number; key: string }[]) =>
      keys.map(({ lane, key }) => rows.get(`${processor} ${lane} ${key}`)),
  };
  expect(await presentOf(userId, snapshot, rowLookup(memoryLog({ now: () => 0 }, 4), store))).toEqual({
    profile: { type: "profile", user: null },
    preference: { unsubscribed: ["a@example.org"], at: 0 },
    conversations: [
      { thread: undefined, row: { type: "conversation", isDeleted: true } },
      { thread, row: undefined },
    ],
  });
});
