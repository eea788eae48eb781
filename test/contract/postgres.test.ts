import { expect, test } from "vitest";
import { Transient } from "../../services/core/failure.ts";
import { openDatabase } from "../../services/runtime/postgres.ts";
import { databaseAddress, eventually } from "../support/world.ts";

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

test("a connection that is lost between two statements of a transaction fails the next, and nothing else", async () => {
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

test("who stands still within a transaction holds others up for no longer than a silent member keeps its lanes", async () => {
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
