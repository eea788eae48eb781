import { expect, test } from "vitest";
import type { Verdict } from "../core/effect.ts";
import { laneOf } from "../core/lane.ts";
import { ledgerPack } from "./pack.ts";

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

test("verdicts that differ in their users alone become one on each partition of theirs", () => {
  const users = Array.from({ length: 40 }, (_none, index) => `user-${index}`);
  const pack = ledgerPack(3);
  for (const user of users) pack.add(verdict(), [user]);
  pack.add(verdict({ reason: "read" }), users.slice(0, 1));
  const records = pack.records();
  for (const partition of [0, 1, 2]) {
    const [record, ...more] = records.filter((each) => each.partition === partition);
    expect(more).toEqual([]);
    expect(record?.value.entries[0]?.users).toEqual(users.filter((user) => laneOf(user, 3) === partition));
  }
  const reasons = records.flatMap(({ value }) => value.entries.map(({ reason }) => reason));
  expect(reasons.filter((reason) => reason === "read")).toEqual(["read"]);
});

test("an entry names 500 users at most, and so does a record", () => {
  const users = Array.from({ length: 1_201 }, (_none, index) => `user-${index}`);
  const pack = ledgerPack(1);
  pack.add(verdict(), users);
  pack.add(verdict({ reason: "read" }), users.slice(0, 100));
  const entries = pack.records().map(({ value }) => value.entries.map((entry) => entry.users.length));
  expect(entries).toEqual([[500], [500], [201, 100]]);
});
