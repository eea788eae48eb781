import { expect, test } from "vitest";
import { eachOf } from "../core/processor.ts";
import type { Said } from "../runtime/producer.ts";
import { missed, online } from "../../test/support/inbox.ts";
import { bookOf } from "../../test/support/settings.ts";
import { logRecord } from "../../test/support/spec.ts";
import { inboxParts, standingKey, threadKey } from "./parts.ts";
import { inboxes } from "./rule.ts";
import type { Inbox } from "./state.ts";

const book = bookOf({ timeout: 300, settle: 0 });

/** The parts of ada's inbox that a record changes, after others that are saved. */
const changedBy = (said: Said, ...saved: readonly Said[]): readonly string[] => {
  const rows = new Map<string, Inbox>();
  const fold = (one: Said): void => {
    const known = { get: (key: string) => rows.get(key), expect: () => undefined };
    for (const event of inboxes.read(logRecord(one)).flatMap(eachOf))
      for (const [key, row] of inboxes.fold(event, known, book).writes) if (row !== null) rows.set(key, row);
  };
  for (const one of saved) fold(one);
  for (const row of rows.values()) inboxParts.saved(row);
  fold(said);
  return inboxParts.changed("ada", rows.get("ada") ?? null).map(([part]) => part);
};

test("what is missed where something is missed already changes its thread alone", () => {
  const changed = changedBy(missed("m2", "12:01"), online("11:00"), missed("m1", "12:00"));
  expect(changed).toEqual([threadKey("ada", "c")]);
});

test("what is missed first changes the user's standing, too: there is something to wake up for", () => {
  const changed = changedBy(missed("m1", "12:00"), online("11:00"));
  expect(changed.toSorted()).toEqual([standingKey("ada"), threadKey("ada", "c")].toSorted());
});
