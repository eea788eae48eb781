import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { type Millis, MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import { message, participant } from "../support/chat.ts";
import { notificationEvents } from "../support/standing.ts";
import { eventually, world } from "../support/world.ts";
import { startAll } from "./processes.ts";
import { IS_WHOLE } from "./trouble.ts";

/** MiB of heap of a process. All records of the backlog in memory would take several times as much. */
const HEAP = 96;
const ROOMS = IS_WHOLE ? 1_000 : 250;
const MESSAGES = 200;
/** Messages published in one call. */
const SLICE = 10_000;
/** Milliseconds between the first message and the last. All of them fall due together. */
const SPAN: Millis = 30 * SECOND;
/** Seconds of the role setting `timeout`: longer than SPAN, so that every message comes before the first notification. */
const TIMEOUT = 600;
/** Milliseconds for the test, on a busy machine. */
const PATIENCE = IS_WHOLE ? 1_800_000 : 900_000;

test(`processes of ${HEAP} MiB each work off a backlog larger than memory`, { timeout: PATIENCE }, async () => {
  const chat = await world({ LOG_LEVEL: "info" }, { timeout: TIMEOUT });
  const start = Date.now() - SPAN - TIMEOUT * SECOND - MINUTE;
  const said = backlog(start);
  for (let from = 0; from < said.length; from += SLICE) await chat.publish(...said.slice(from, from + SLICE));

  const processes = ["conversations", "inboxes"].map((SERVICE) =>
    startAll(chat, null, { SERVICE, NODE_OPTIONS: `--max-old-space-size=${HEAP}` }),
  );
  const deaths = processes.map(({ end }) => end.then((how) => Promise.reject(new Error(JSON.stringify(how)))));
  const done = eventually(async () => {
    const { events } = await notificationEvents(chat);
    const told = events.filter(({ type }) => type === "TRIGGERED");
    const counts = told.map(({ userId, messageIds }) => `${userId}: ${messageIds.length}`);
    expect(counts.toSorted()).toEqual(
      Array.from({ length: ROOMS }, (_none, room) => `reader-${room}: ${MESSAGES}`).toSorted(),
    );
  });
  await Promise.race([done, ...deaths]);
});

/** Conversations of two people: one writes, and the other is away. */
const backlog = (start: Millis): readonly NewRecord[] => {
  const rooms = Array.from({ length: ROOMS }, (_none, room) => room);
  const stamped = (said: NewRecord, at: Millis): NewRecord =>
    ({ ...said, timestamp: at, value: { ...said.value, occurredAt: at } }) as NewRecord;
  return [
    ...rooms.flatMap((room) =>
      ["writer", "reader"].map((who) => stamped(participant(`room-${room}`, `${who}-${room}`, "0:00"), start)),
    ),
    ...Array.from({ length: MESSAGES }, (_none, number) => {
      const at = start + Math.floor(((number + 1) * SPAN) / MESSAGES);
      return rooms.map((room) => stamped(message(`room-${room}`, `writer-${room}`, `m-${number}`, "0:00"), at));
    }).flat(),
  ];
};
