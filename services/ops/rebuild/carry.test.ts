import { inboxes } from "../../inboxes/rule.ts";
import { beforeAll, expect, test } from "vitest";
import type { Codec, LaneProgress, OutboxEntry } from "../../platform/contract/ports.ts";
import type { LedgerEntry, NotificationEvent } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { memoryStore } from "../../platform/memory/store.ts";
import { memoryCodec } from "../../../test/support/memory.ts";
import { carry } from "./carry.ts";
import { recent } from "./recent.ts";

let codec: Codec;
beforeAll(async () => {
  codec = await memoryCodec();
});

const hold = (lane: number, time: Millis, sequence = 0): LaneProgress => ({
  lane,
  epoch: 1,
  cursors: {},
  lastSequence: {},
  partiallyFolded: {},
  lastTime: {},
  sequence,
  watermark: time,
  readOffsets: {},
  readWatermark: time,
});

let sequence = 0;
const entry = (stream: string, topic: OutboxEntry["topic"], value: unknown): OutboxEntry => ({
  stream,
  sequence: ++sequence,
  topic,
  partition: null,
  key: null,
  value: codec.encode(topic, value),
});

const telling = (id: string, occurredAt: Millis): NotificationEvent => ({
  id,
  type: "TRIGGERED",
  notificationId: id,
  userId: "ada",
  conversationId: "c",
  messageIds: ["m"],
  channel: "EMAIL",
  email: null,
  reason: null,
  statusCode: null,
  diagnostic: null,
  url: null,
  agent: null,
  snapshot: null,
  occurredAt,
});

const verdict = (user: string, occurredAt: Millis): LedgerEntry => ({
  verdict: "CANDIDATE",
  reason: null,
  users: [user],
  conversationId: "c",
  messageIds: ["m"],
  notificationId: null,
  until: null,
  facts: {},
  occurredAt,
});

const letter = (id: string, occurredAt: Millis) => ({
  id,
  processor: "inboxes",
  topic: "chat.users",
  partition: 0,
  offset: 0,
  timestamp: occurredAt,
  key: null,
  value: null,
  headers: {},
  reason: "unreadable",
  occurredAt,
});

/** Effects carried over for the lane, in order: notifications and letters by id, verdicts by user. */
const carried = async (
  live: LaneProgress,
  outbox: readonly OutboxEntry[],
  { past = 0, untold = [] as readonly string[], since = 0, time = 1_000 } = {},
) => {
  const noted = recent(memoryStore(), codec, since);
  const rows = [{ lane: live.lane, key: "row", value: {}, due: null }];
  await noted.store.commit({ processor: "inboxes", lanes: [hold(0, time)], revisit: null, rows, outbox, jobs: [] });
  const widths = new Map([
    ["inbox", 1],
    ["ledger", 1],
  ]);
  const found = carry(inboxes, [live], noted.entries() ?? [], past, new Set(untold), codec, widths);
  const names = found.outbox.flatMap(({ topic, value }) => {
    const said = codec.decode(topic, value) as { id?: string; entries?: readonly LedgerEntry[] };
    return said.id ?? (said.entries ?? []).flatMap(({ users }) => users);
  });
  return { names, sequences: found.outbox.map((one) => one.sequence), holds: found.holds, noted };
};

test("effects that live had not reached are carried over, numbered after the lane's own", async () => {
  const outbox = [
    entry("inboxes/0", "notifications", telling("before", 100)),
    entry("inboxes/0", "notifications", telling("told", 300)),
    entry("inboxes/0", "notifications", telling("new", 300)),
    entry("inboxes/0", "ledger", { entries: [verdict("bob", 100), verdict("eve", 300)] }),
    entry("inboxes/0", "deadLetters", letter("old letter", 200)),
    entry("inboxes/0", "deadLetters", letter("letter", 201)),
    entry("inboxes/1", "notifications", telling("of another lane", 300)),
  ];
  const untold = ["before", "new", "of another lane"];
  const { names, sequences, holds } = await carried(hold(0, 200, 50), outbox, { untold });
  expect(names).toEqual(["new", "letter", "eve"]);
  expect(sequences).toEqual([51, 52, 53]);
  expect(holds).toEqual([hold(0, 200, 53)]);
});

test("an idle lane counts as having reached the time that all of live has reached", async () => {
  const outbox = [
    entry("inboxes/0", "notifications", telling("past", 300)),
    entry("inboxes/0", "notifications", telling("later", 301)),
  ];
  expect((await carried(hold(0, -1), outbox, { past: 300, untold: ["past", "later"] })).names).toEqual(["later"]);
});

test("a notification of exactly the lane's watermark is carried over", async () => {
  const outbox = [entry("inboxes/0", "notifications", telling("at", 200))];
  expect((await carried(hold(0, 200), outbox, { untold: ["at"] })).names).toEqual(["at"]);
});

test("an entry published twice is carried over once", async () => {
  const outbox = [1, 2].map(() => entry("inboxes/0", "notifications", telling("twice", 300)));
  expect((await carried(hold(0, 200), outbox, { untold: ["twice"] })).names).toEqual(["twice"]);
});

test("entries up to live's time are forgotten; a letter goes by its record's own time", async () => {
  const outbox = [
    entry("inboxes/0", "notifications", telling("early", 100)),
    entry("inboxes/0", "deadLetters", letter("ahead", 900)),
  ];
  const { noted } = await carried(hold(0, 50), outbox, { since: 500, time: 400 });
  expect((noted.entries() ?? []).map(({ at }) => at)).toEqual([900]);
  expect(noted.isWritten("inboxes", "row")).toBe(false);
  const later = await carried(hold(0, 50), outbox, { since: 500, time: 600 });
  expect(later.noted.isWritten("inboxes", "row")).toBe(true);
  later.noted.forget(600);
  expect(later.noted.isWritten("inboxes", "row")).toBe(false);
  expect((later.noted.entries() ?? []).map(({ at }) => at)).toEqual([900]);
});
