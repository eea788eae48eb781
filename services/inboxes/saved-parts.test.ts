import { expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import { eachOf } from "../platform/contract/processor.ts";
import { missed, online, reads } from "../../test/support/inbox.ts";
import { bookOf } from "../../test/support/settings.ts";
import { logRecord } from "../../test/support/spec.ts";
import { inboxParts, standingKey, threadKey } from "./saved-parts.ts";
import { inboxes } from "./rule.ts";
import type { Inbox } from "./state.ts";

const book = bookOf({ timeout: 300, settle: 0 });

/** Keys of the parts of ada's inbox that a record changes, after the other records are folded and saved. */
const changedBy = (said: NewRecord, ...saved: readonly NewRecord[]): readonly string[] => {
  const rows = new Map<string, Inbox>();
  const fold = (record: NewRecord): void => {
    const known = { get: (key: string) => rows.get(key), expect: () => undefined };
    for (const event of inboxes.read(logRecord(record)).flatMap(eachOf))
      for (const [key, row] of inboxes.fold(event, known, book).writes) if (row !== null) rows.set(key, row);
  };
  for (const record of saved) fold(record);
  for (const row of rows.values()) inboxParts.saved(row);
  fold(said);
  return inboxParts.changed("ada", rows.get("ada") ?? null).map(([part]) => part);
};

test("a message missed in an open thread changes that thread's part alone", () => {
  const changed = changedBy(missed("m2", "12:01"), online("11:00"), missed("m1", "12:00"));
  expect(changed).toEqual([threadKey("ada", "c")]);
});

test("a thread that is forgotten and begins anew before it is saved is saved as the new one", () => {
  const rows = new Map<string, Inbox>();
  const known = { get: (key: string) => rows.get(key), expect: () => undefined };
  const fold = (event: Parameters<typeof inboxes.fold>[0]): void => {
    for (const [key, row] of inboxes.fold(event, known, book).writes) if (row !== null) rows.set(key, row);
  };
  const say = (record: NewRecord): void => {
    for (const event of inboxes.read(logRecord(record)).flatMap(eachOf)) fold(event);
  };
  say(missed("m1", "12:00"));
  say(reads("12:01"));
  for (const row of rows.values()) inboxParts.saved(row);
  const forgetAt = rows.get("ada")?.forgetAt ?? 0;
  fold({ type: "due", key: "ada", at: forgetAt });
  expect(rows.get("ada")?.threads.size).toBe(0);
  say(missed("m2", "12:00", { occurredAt: forgetAt + 1, loggedAt: forgetAt + 1, sentAt: forgetAt + 1 }));
  const threads = inboxParts
    .changed("ada", rows.get("ada") ?? null)
    .filter(([part]) => part === threadKey("ada", "c"))
    .map(([, value]) => JSON.stringify(value));
  expect(threads).toEqual([expect.stringContaining("m2")]);
});

test("the first message missed in a thread changes the standing's part too, as it has the timer", () => {
  const changed = changedBy(missed("m1", "12:00"), online("11:00"));
  expect(changed.toSorted()).toEqual([standingKey("ada"), threadKey("ada", "c")].toSorted());
});
