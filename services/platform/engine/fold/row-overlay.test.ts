import { describe, expect, test } from "vitest";
import { rowOverlay, RowsMissing } from "./row-overlay.ts";

/** Keys that a read throws as missing. */
const missingOf = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (error) {
    if (error instanceof RowsMissing) return error.keys;
    throw error;
  }
  return [];
};

const fetched = new Map([
  ["kept", "as read"],
  ["absent", null],
]);

describe("a row that nothing has written", () => {
  test("is read as it was fetched", () => {
    expect(rowOverlay<string>(fetched).get("kept")).toBe("as read");
  });

  test("is undefined where the store has none", () => {
    expect(rowOverlay<string>(fetched).get("absent")).toBeUndefined();
  });

  test("is missing where it was not fetched", () => {
    expect(missingOf(() => rowOverlay<string>(fetched).get("unknown"))).toEqual(["unknown"]);
  });

  test("is not among the writes and has no timer", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.get("kept");
    expect(overlay.writes()).toEqual([]);
    expect(overlay.due("kept")).toBeUndefined();
  });
});

describe("a row that was written", () => {
  test("is read as it was written last", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.set(0, "kept", "first", null);
    overlay.set(0, "kept", "second", null);
    expect(overlay.get("kept")).toBe("second");
  });

  test("is read though it was not fetched", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.set(0, "unknown", "written", null);
    expect(overlay.get("unknown")).toBe("written");
  });

  test("is undefined after it was deleted, and not as it was fetched", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.set(0, "kept", null, null);
    expect(overlay.get("kept")).toBeUndefined();
  });

  test("has the timer of its last write", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.set(0, "kept", "first", 10);
    expect(overlay.due("kept")).toBe(10);
    overlay.set(0, "kept", "second", null);
    expect(overlay.due("kept")).toBeNull();
  });

  test("leaves the rows that were fetched as they are", () => {
    const overlay = rowOverlay<string>(fetched);
    overlay.set(0, "kept", "written", null);
    expect(fetched.get("kept")).toBe("as read");
  });
});

test("the writes are one for each row, with its lane, last value and timer, in the order of their first writes", () => {
  const overlay = rowOverlay<string>(fetched);
  overlay.set(2, "b", "first", 10);
  overlay.set(1, "a", "other", null);
  overlay.set(2, "b", "second", 20);
  overlay.set(0, "kept", null, null);
  expect(overlay.writes()).toEqual([
    { lane: 2, key: "b", value: "second", due: 20 },
    { lane: 1, key: "a", value: "other", due: null },
    { lane: 0, key: "kept", value: null, due: null },
  ]);
});

test("announced rows that are neither fetched nor written are missing, all of them at once", () => {
  const overlay = rowOverlay<string>(fetched);
  overlay.set(0, "written", "now", null);
  expect(missingOf(() => overlay.expect(["kept", "one", "absent", "written", "two"]))).toEqual(["one", "two"]);
  expect(missingOf(() => overlay.expect(["kept", "absent", "written"]))).toEqual([]);
});
