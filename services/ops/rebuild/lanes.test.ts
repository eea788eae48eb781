import { expect, test } from "vitest";
import type { LaneProgress } from "../../platform/contract/ports.ts";
import { switched } from "./lanes.ts";

const live: LaneProgress = {
  lane: 1,
  epoch: 5,
  cursors: { "presence/1": 40, "inbox/1": 900, "inboxStrays/1": 7 },
  lastSequence: { "inbox/1<conversations/0": 1_000, "presence/1": 39 },
  partiallyFolded: { "inbox/1<conversations/0": 3 },
  lastTime: { "inbox/1<conversations/0": 70 },
  sequence: 2_000,
  watermark: 100,
  readOffsets: { "presence/1": 41 },
  readWatermark: 101,
};
const rebuilt: LaneProgress = {
  lane: 1,
  epoch: 1,
  cursors: { "presence/1": 45, "inbox/1": 12, "inboxStrays/1": 3, "settings/0": 2 },
  lastSequence: { "inbox/1<conversations/0": 60, "presence/1": 44, "inboxStrays/1<presence/0": 33 },
  partiallyFolded: { "inbox/1<conversations/1": 2, "inboxStrays/1<presence/0": 1 },
  lastTime: { "inbox/1<conversations/0": 120 },
  sequence: 61,
  watermark: 130,
  readOffsets: { "presence/1": 45, "inbox/1": 12 },
  readWatermark: 131,
};
const standing = {
  read: ["presence", "inbox", "inboxStrays", "settings"],
  ends: { "inbox/1": 950, "inboxStrays/1": 8 },
  given: { "inbox/1<conversations/0": 1_700, "inbox/1<conversations/1": 1_800 },
} as const;

test("a switched lane continues the chat's topics at the rebuilt lane's cursors, and our topics at their ends", () => {
  const { cursors, readOffsets: examined } = switched(live, rebuilt, standing);
  expect(cursors).toEqual({ "presence/1": 45, "inbox/1": 950, "inboxStrays/1": 8, "settings/0": 2 });
  expect(examined).toEqual({ "presence/1": 45, "inbox/1": 950, "inboxStrays/1": 8 });
});

test("a switched lane ignores records already numbered for it; strays keep the numbers of their origin", () => {
  const { lastSequence, partiallyFolded, lastTime } = switched(live, rebuilt, standing);
  expect(lastSequence).toEqual({
    "inbox/1<conversations/0": 1_700,
    "inbox/1<conversations/1": 1_800,
    "presence/1": 44,
    "inboxStrays/1<presence/0": 33,
  });
  expect(partiallyFolded).toEqual({ "inboxStrays/1<presence/0": 1 });
  expect(lastTime).toEqual(rebuilt.lastTime);
});

test("a switched lane keeps its own sequence and epoch, and has the rebuilt lane's watermark", () => {
  expect(switched(live, rebuilt, standing)).toMatchObject({
    lane: 1,
    epoch: 5,
    sequence: 2_000,
    watermark: 130,
    readWatermark: 131,
  });
});

test("a switched lane keeps its progress in topics that the rebuilt lane does not read", () => {
  const mine: LaneProgress = {
    ...live,
    cursors: { "preferences/1": 4, "notifications/1": 77 },
    lastSequence: { "preferences/1": 3, "notifications/1<inboxes/1": 70 },
    partiallyFolded: { "notifications/1<inboxes/1": 2 },
    lastTime: { "preferences/1": 60, "notifications/1<inboxes/1": 90 },
    readOffsets: { "preferences/1": 4, "notifications/1": 79 },
  };
  const theirs: LaneProgress = {
    ...rebuilt,
    cursors: { "preferences/1": 5 },
    lastSequence: { "preferences/1": 4 },
    partiallyFolded: {},
    lastTime: { "preferences/1": 110 },
    readOffsets: { "preferences/1": 5 },
  };
  expect(switched(mine, theirs, { read: ["preferences"], ends: {}, given: {} })).toMatchObject({
    cursors: { "preferences/1": 5, "notifications/1": 77 },
    lastSequence: { "preferences/1": 4, "notifications/1<inboxes/1": 70 },
    partiallyFolded: { "notifications/1<inboxes/1": 2 },
    lastTime: { "preferences/1": 110, "notifications/1<inboxes/1": 90 },
    readOffsets: { "preferences/1": 5, "notifications/1": 79 },
  });
});
