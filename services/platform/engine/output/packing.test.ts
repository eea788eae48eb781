import { topics } from "../../../domain/topics.ts";
import { multicasts, type Verdict } from "../../../domain/effect.ts";
import { expect, test } from "vitest";
import { MAX_RECORD } from "../../contract/topic.ts";
import { laneOf } from "../../contract/lane.ts";
import { MAX_ID_LENGTH } from "../../contract/identity.ts";
import { type InboxEntry, type LedgerEntry } from "../../../domain/records.ts";
import { avroType } from "../../adapters/registry/avro.ts";
import { schemaOf } from "../../adapters/registry/codec.ts";
import { type Packing, packing } from "./packing.ts";

const verdict = (more: Partial<Verdict> = {}): Verdict => ({
  verdict: "REJECTED",
  reason: "muted",
  conversationId: "c",
  messageIds: ["m"],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt: 1,
  ...more,
});

test("verdicts that differ in their users alone become one entry on each partition of these users", () => {
  const users = Array.from({ length: 40 }, (_none, index) => `user-${index}`);
  const pack = packing(multicasts.ledger, 3);
  for (const user of users) pack.add(verdict(), [user]);
  pack.add(verdict({ reason: "read" }), users.slice(0, 1));
  const records = entriesOf(pack);
  for (const partition of [0, 1, 2]) {
    const [record, ...more] = records.filter((each) => each.partition === partition);
    expect(more).toEqual([]);
    expect(record?.entries[0]?.users).toEqual(users.filter((user) => laneOf(user, 3) === partition));
  }
  const reasons = records.flatMap(({ entries }) => entries.map(({ reason }) => reason));
  expect(reasons.filter((reason) => reason === "read")).toEqual(["read"]);
});

test("the verdicts of a user keep their order, whichever users they share them with", () => {
  const candidate = () => verdict({ verdict: "CANDIDATE", reason: null });
  const held = () => verdict({ verdict: "HELD", reason: "timeout", messageIds: [] });
  const pack = packing(multicasts.ledger, 1);
  // Equal entries may be different objects: of a mentioned user, or of another record.
  for (const user of ["ada", "bob"]) {
    pack.add(candidate(), [user]);
    pack.add(held(), [user]);
  }
  const told = entriesOf(pack).flatMap(({ entries }) => entries.map((entry) => [entry.verdict, entry.users]));
  expect(told).toEqual([
    ["CANDIDATE", ["ada", "bob"]],
    ["HELD", ["ada", "bob"]],
  ]);
});

test("an entry names at most 500 users, and so does a record", () => {
  const users = Array.from({ length: 1_201 }, (_none, index) => `user-${index}`);
  const pack = packing(multicasts.ledger, 1);
  pack.add(verdict(), users);
  pack.add(verdict({ reason: "read" }), users.slice(0, 100));
  const entries = entriesOf(pack).map((record) => record.entries.map((entry) => entry.users.length));
  expect(entries).toEqual([[500], [500], [201, 100]]);
});

const id = (index: number, length: number): string => String(index).padStart(length, "語");
const entriesOf = (pack: Packing) =>
  pack.records().map(({ partition, value }) => ({ partition, entries: value.entries as readonly LedgerEntry[] }));
const sizes = (topic: "inbox" | "ledger", records: readonly { readonly value: unknown }[]): readonly number[] =>
  records.map(({ value }) => avroType(schemaOf(topics[topic])).toBuffer(value).length);

test.each([36, MAX_ID_LENGTH])("a record stays below its topic's limit where ids have %i characters", (length) => {
  const ids = Array.from({ length: 500 }, (_none, index) => id(index, length));
  const ledger = packing(multicasts.ledger, 1);
  // At the end of quiet hours every user is notified of all that they missed in a night.
  for (const user of ids.slice(0, 100))
    ledger.add(verdict({ messageIds: ids, notificationId: id(1, 36), facts: { user } }), [user]);
  const inbox = packing(multicasts.inbox, 1);
  const entry = { type: "CANDIDATE", sentAt: 1, reason: null, since: null, occurredAt: 1, loggedAt: 1 } as const;
  const add = (added: InboxEntry): void => inbox.add(added, added.recipients);
  const named = (messageId: string, recipients: readonly string[]): InboxEntry => {
    return {
      ...entry,
      conversationId: id(1, length),
      messageId,
      senderId: id(2, length),
      recipients,
      mentioned: recipients,
    };
  };
  for (const messageId of ids) add(named(messageId, [id(3, length)]));
  add(named(id(4, length), ids));
  const records = [...sizes("ledger", ledger.records()), ...sizes("inbox", inbox.records())];
  expect(records.length).toBeGreaterThan(3);
  expect(Math.max(...records)).toBeLessThan(MAX_RECORD - 1_000);
});
