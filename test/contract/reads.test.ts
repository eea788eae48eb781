import { expect, test } from "vitest";
import type { Database } from "../../services/platform/contract/database.ts";
import type { LaneSpan, Store } from "../../services/platform/contract/ports.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { databaseAddress } from "../support/world.ts";

const USERS = 10_000;
const WANTED = 500;

test("a look-up of rows in parts does not read the rows of other users of the lane", async () => {
  const address = await filled();
  const spans = Array.from({ length: WANTED }, (_none, index): LaneSpan => {
    const user = `user${index * (USERS / WANTED) + 1}.`;
    return { lane: 0, keys: [`o.${user}`], prefix: `t.${user}` };
  });
  const [found, rows] = await reading(address, (store) => store.gather("inboxes", spans));
  expect(found.map(({ size }) => size)).toEqual(spans.map(() => 2));
  // At worst one pass for the keys of all, and for each prefix the rows that begin with it.
  expect(rows).toBeLessThan(2 * USERS + 10 * WANTED);
});

test("a look-up of due timers reads as many rows as it asks for", async () => {
  const address = await filled();
  const [found, rows] = await reading(address, (store) => store.due("inboxes", [0, 1], USERS, WANTED));
  expect(found.map(({ due }) => due)).toEqual(Array.from({ length: WANTED }, (_none, index) => index + 1));
  expect(rows).toBeLessThan(4 * WANTED);
});

/** The address of a database whose one lane has users with two rows each, one with a timer. */
const filled = async (): Promise<string> => {
  const address = await databaseAddress();
  await using admin = openDatabase(address, "tests");
  await admin.query(
    `insert into state_inboxes (lane, key, value, due)
     select 0, kind || 'user' || place || '.', to_json(place), case kind when 'o.' then place end
     from generate_series(1, $1) place, unnest(array['o.', 't.']) kind`,
    [USERS],
  );
  await admin.query("analyze state_inboxes");
  return address;
};

/** Runs a query on the store; returns its result, and the number of rows that were read for it. */
const reading = async <T>(address: string, read: (store: Store) => Promise<T>): Promise<readonly [T, number]> => {
  const before = await rowsRead(address);
  const session = openDatabase(address, "tests");
  const found = await read(postgresStore(session));
  await session[Symbol.asyncDispose]();
  return [found, (await rowsRead(address)) - before];
};

/** Number of rows read of the table. A session reports its own when it ends. */
const rowsRead = async (address: string): Promise<number> => {
  await using asking = openDatabase(address, "tests");
  await expect.poll(() => sessions(asking)).toBe(1);
  const [counted] = await asking.query<{ rows: number }>(
    "select seq_tup_read + idx_tup_fetch as rows from pg_stat_user_tables where relname = 'state_inboxes'",
  );
  return counted?.rows ?? 0;
};

const sessions = async (asking: Database): Promise<number> => {
  const [found] = await asking.query<{ count: number }>(
    "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'",
  );
  return found?.count ?? 0;
};
