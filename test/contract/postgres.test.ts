import { expect, test } from "vitest";
import { Transient } from "../../services/platform/contract/failure.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { databaseAddress, eventually } from "../support/world.ts";
import { startProxy } from "../faults/proxy.ts";
import { claimed, commitOf, entry, ground, job, PROCESSOR, row } from "./store.suite.ts";

const within = async () => {
  const address = await databaseAddress();
  const database = openDatabase(address, "tests");
  const others = openDatabase(address, "tests");
  return {
    database,
    others,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await others[Symbol.asyncDispose]();
    },
  };
};

test("a connection lost between two statements of a transaction fails the next statement, and nothing else", async () => {
  await using it = await within();
  const transaction = it.database.transaction(async (connection) => {
    const [self] = await connection.query<{ pid: number }>("select pg_backend_pid() as pid");
    await it.others.query("select pg_terminate_backend($1)", [self?.pid]);
    await eventually(async () =>
      expect(await it.others.query("select 1 from pg_stat_activity where pid = $1", [self?.pid])).toEqual([]),
    );
    await connection.query("select 1");
  });
  await expect(transaction).rejects.toBeInstanceOf(Transient);
  expect(await it.database.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test.each([true, false])(
  "a commit with an unknown result is a passing failure: the client can't know (it was committed: %s)",
  async (isCommitted) => {
    const address = new URL(await databaseAddress());
    await using proxy = await startProxy({ host: address.hostname, port: Number(address.port) });
    address.host = `127.0.0.1:${proxy.port}`;
    await using database = openDatabase(address.href, "tests");
    await database.query("create table kept as select 1 as value");
    proxy.behave({ type: "cut at", text: "commit", isHandedOn: isCommitted });
    const transaction = database.transaction((connection) => connection.query("update kept set value = 2"));
    await expect(transaction).rejects.toBeInstanceOf(Transient);
    proxy.behave({ type: "pass" });
    await eventually(async () =>
      expect(await database.query("select value from kept")).toEqual([{ value: isCommitted ? 2 : 1 }]),
    );
  },
);

test("a process that stalls within a transaction holds locks for no longer than a silent member keeps its lanes", async () => {
  await using it = await within();
  await it.others.query("create table held as select 1 as value");
  const transaction = it.database.transaction(async (connection) => {
    await connection.query("update held set value = 2");
    // A deadlock that the server doesn't see.
    await expect(it.others.query("update held set value = 3")).resolves.toEqual([]);
    await connection.query("select 1");
  });
  await expect(transaction).rejects.toBeInstanceOf(Transient);
  expect(await it.others.query("select value from held")).toEqual([{ value: 3 }]);
});

test("a commit that is refused at its last row saves nothing", async () => {
  await using it = await within();
  const on = ground(postgresStore(it.database));
  const hold = await claimed(on);
  const commit = commitOf([{ ...hold, cursors: { "messages/0": 7 } }], {
    rows: [row(hold, "a", 1)],
    outbox: [entry("stream", 1)],
    jobs: [job("queue", "b"), job("queue", "NUL is no text: \0")],
  });
  await expect(on.store.commit(commit)).rejects.toThrow("PostgreSQL");
  expect(await on.store.load(PROCESSOR, [{ lane: hold.lane, key: "a" }])).toEqual([undefined]);
  expect([await on.store.unpublished(["stream"]), await on.store.nextJob("queue")]).toEqual([[], null]);
  const [again] = await on.store.claim(PROCESSOR, [hold.lane]);
  expect(again?.cursors).toEqual({});
});

test("a commit that is too large for one statement is saved whole", async () => {
  await using it = await within();
  const on = ground(postgresStore(it.database));
  const hold = await claimed(on);
  const large = "large ".repeat(2_900_000);
  const keys = ["a", "b"];
  const value = new Uint8Array(17_400_000).fill(7);
  const commit = commitOf([hold], {
    rows: keys.map((key) => row(hold, key, [key, large])),
    outbox: [1, 2].map((sequence) => ({ ...entry("stream", sequence), value })),
    jobs: keys.map((id) => ({ ...job("queue", id), payload: large })),
  });
  expect(await on.store.commit(commit)).toBe("committed");
  const rows = await on.store.load(
    PROCESSOR,
    keys.map((key) => ({ lane: hold.lane, key })),
  );
  expect(rows.map((one) => (one as readonly string[])[0])).toEqual(keys);
  const waiting = await on.store.unpublished(["stream"]);
  expect(waiting.map(({ sequence, value: { length } }) => [sequence, length])).toEqual(
    [1, 2].map((sequence) => [sequence, value.length]),
  );
  const [jobs] = await it.database.query<{ count: number }>("select count(*) as count from jobs");
  expect(jobs).toEqual({ count: 2 });
});
