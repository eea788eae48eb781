import { expect, test } from "vitest";
import type { Hold } from "../../platform/contract/ports.ts";
import { switched } from "./lanes.ts";

const live: Hold = {
  lane: 1,
  epoch: 5,
  cursors: { "presence/1": 40, "inbox/1": 900, "inboxStrays/1": 7 },
  heard: { "inbox/1<conversations/0": 1_000, "presence/1": 39 },
  within: { "inbox/1<conversations/0": 3 },
  reached: { "inbox/1<conversations/0": 70 },
  sequence: 2_000,
  time: 100,
  examined: { "presence/1": 41 },
  examinedTime: 101,
};
const rebuilt: Hold = {
  lane: 1,
  epoch: 1,
  cursors: { "presence/1": 45, "inbox/1": 12, "inboxStrays/1": 3, "settings/0": 2 },
  heard: { "inbox/1<conversations/0": 60, "presence/1": 44, "inboxStrays/1<presence/0": 33 },
  within: { "inbox/1<conversations/1": 2, "inboxStrays/1<presence/0": 1 },
  reached: { "inbox/1<conversations/0": 120 },
  sequence: 61,
  time: 130,
  examined: { "presence/1": 45, "inbox/1": 12 },
  examinedTime: 131,
};
const standing = {
  read: ["presence", "inbox", "inboxStrays", "settings"],
  ends: { "inbox/1": 950, "inboxStrays/1": 8 },
  given: { "inbox/1<conversations/0": 1_700, "inbox/1<conversations/1": 1_800 },
} as const;

test("a lane that is switched over goes on in the chat's topics where the rebuilt one is, and in ours where they end", () => {
  const { cursors, examined } = switched(live, rebuilt, standing);
  expect(cursors).toEqual({ "presence/1": 45, "inbox/1": 950, "inboxStrays/1": 8, "settings/0": 2 });
  expect(examined).toEqual({ "presence/1": 45, "inbox/1": 950, "inboxStrays/1": 8 });
});

test("of what others have numbered for it nothing more is heard; strays are heard by where they were found", () => {
  const { heard, within, reached } = switched(live, rebuilt, standing);
  expect(heard).toEqual({
    "inbox/1<conversations/0": 1_700,
    "inbox/1<conversations/1": 1_800,
    "presence/1": 44,
    "inboxStrays/1<presence/0": 33,
  });
  expect(within).toEqual({ "inboxStrays/1<presence/0": 1 });
  expect(reached).toEqual(rebuilt.reached);
});

test("it keeps its own numbers, so that what it says next is new to everybody, and has the rebuilt one's time", () => {
  expect(switched(live, rebuilt, standing)).toMatchObject({
    lane: 1,
    epoch: 5,
    sequence: 2_000,
    time: 130,
    examinedTime: 131,
  });
});

test("what the rebuilt lane doesn't read, it goes on with where it was", () => {
  const mine: Hold = {
    ...live,
    cursors: { "preferences/1": 4, "notifications/1": 77 },
    heard: { "preferences/1": 3, "notifications/1<inboxes/1": 70 },
    within: { "notifications/1<inboxes/1": 2 },
    reached: { "preferences/1": 60, "notifications/1<inboxes/1": 90 },
    examined: { "preferences/1": 4, "notifications/1": 79 },
  };
  const theirs: Hold = {
    ...rebuilt,
    cursors: { "preferences/1": 5 },
    heard: { "preferences/1": 4 },
    within: {},
    reached: { "preferences/1": 110 },
    examined: { "preferences/1": 5 },
  };
  expect(switched(mine, theirs, { read: ["preferences"], ends: {}, given: {} })).toMatchObject({
    cursors: { "preferences/1": 5, "notifications/1": 77 },
    heard: { "preferences/1": 4, "notifications/1<inboxes/1": 70 },
    within: { "notifications/1<inboxes/1": 2 },
    reached: { "preferences/1": 110, "notifications/1<inboxes/1": 90 },
    examined: { "preferences/1": 5, "notifications/1": 79 },
  });
});
