import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { profileKey } from "../../services/domain/inbox-rows.ts";
import { inboxParts, standingKey, threadKey } from "../../services/inboxes/saved-parts.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { at } from "../support/chat.ts";
import { database } from "../support/world.ts";

/** The statements of a migration. */
const up = (name: string): readonly string[] => {
  const text = readFileSync(new URL(`../../deploy/migrations/${name}.sql`, import.meta.url), "utf8");
  return text.slice(0, text.indexOf("-- Down Migration")).split(";\n");
};

const missed = {
  messageId: "m1",
  senderId: "bob",
  sentAt: at("12:00"),
  since: at("12:00"),
  loggedAt: at("12:00") + 7,
  isMentioned: false,
};
const attended = {
  ...missed,
  messageId: "m2",
  senderId: null,
  since: at("12:01"),
  loggedAt: at("12:01"),
  isMentioned: true,
};

/** A message as the version before saved it: it called the Kafka timestamp `seen`. */
const asBefore = ({ loggedAt: seen, ...message }: typeof missed | typeof attended) => ({ ...message, seen });

/** Rows as the version before saved them. */
const before = {
  [profileKey("ada")]: { type: "profile", user: null, at: 1, deletedAt: null, restoredAt: null },
  [standingKey("ada")]: {
    type: "user",
    userId: "ada",
    role: "guest",
    timezone: null,
    deletedAt: null,
    restoredAt: null,
    sessions: [{ sessionId: "s", moments: [{ at: at("11:00"), isSign: true, screen: "c" }] }],
    endedAt: null,
    signAt: at("11:00"),
    attended: { d: at("11:00") },
    isOnline: false,
    awaySince: at("11:00"),
    screens: [],
    lapsesAt: null,
    open: [
      {
        conversationId: "c",
        first: at("12:00"),
        last: at("12:00"),
        told: [],
        readAt: null,
        held: "timeout",
        until: at("12:05"),
      },
    ],
    told: [at("10:00")],
    readAt: null,
    next: at("12:05"),
    asOf: at("12:00"),
  },
  [threadKey("ada", "c")]: {
    type: "thread",
    readUntil: -1,
    readAt: null,
    missed: [asBefore(missed)],
    count: 1,
    attended: [asBefore(attended)],
    told: ["m0"],
    toldAt: [at("10:00")],
    touchedAt: at("12:00"),
  },
};

test("rows of inboxes that the version before saved become parts of the same inbox", async () => {
  const own = await database();
  const keys = Object.keys(before);
  await own.query(
    "insert into state_inboxes (lane, key, value, due) select 0, * from unnest($1::text[], $2::json[], $3::bigint[])",
    [keys, Object.values(before).map((row) => JSON.stringify(row)), [null, at("12:05"), at("13:00")]],
  );
  const migrations = ["0005_inboxes", "0005_inboxes", "0006_threads"];
  for (const sql of migrations.flatMap(up)) await own.query(sql);
  const store = postgresStore(own);
  const [parts] = await store.gather("inboxes", [{ lane: 0, ...inboxParts.span("ada") }]);
  const inbox = inboxParts.assemble("ada", parts ?? new Map());
  expect(inbox).toMatchObject({
    profile: { at: 1 },
    signAt: at("11:00"),
    attended: new Map([["d", at("11:00")]]),
    told: [at("10:00")],
    next: at("12:05"),
    asOf: at("12:00"),
    forgetAt: at("12:00"),
  });
  expect([...(inbox?.open ?? [])]).toMatchObject([
    {
      conversationId: "c",
      readUntil: -1,
      missed: [missed],
      count: 1,
      attended: [attended],
      told: ["m0"],
      held: "timeout",
      until: at("12:05"),
      isOpen: true,
    },
  ]);
  expect(Object.keys(inbox ?? {})).not.toContain("role");
  expect(await store.due("inboxes", [0], Infinity, 10)).toEqual([
    { lane: 0, key: standingKey("ada"), due: at("12:00") },
  ]);
});
