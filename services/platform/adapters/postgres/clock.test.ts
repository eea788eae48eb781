import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../contract/database.ts";
import { HOUR, SECOND } from "../../contract/time.ts";
import { databaseClock } from "./clock.ts";

beforeEach(
  () => void vi.useFakeTimers({ toFake: ["performance", "Date", "setInterval", "clearInterval", "setTimeout"] }),
);
afterEach(() => void vi.useRealTimers());

/** A database with a clock of its own; a question takes some milliseconds to come there, and its answer some to come back. */
const server = () => {
  const its = { ahead: HOUR, there: 3, back: 5, isAway: false };
  const now = () => its.ahead + performance.now();
  const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const connection: Connection = {
    async query<Row extends object>() {
      await wait(its.there);
      if (its.isAway) throw new Error("away");
      const row = { now: now() };
      await wait(its.back);
      return [row as unknown as Row];
    },
  };
  return { its, now, connection };
};

const opened = async (connection: Connection) => {
  const opening = databaseClock(connection);
  await vi.advanceTimersByTimeAsync(SECOND);
  return opening;
};

/** Long enough for the clock to have looked again. */
const later = () => vi.advanceTimersByTimeAsync(30 * SECOND);

test("is the database's time, behind by no more than the answer took", async () => {
  const { now, connection } = server();
  using clock = await opened(connection);
  expect(now() - clock.now()).toBe(5);
  await later();
  expect(now() - clock.now()).toBe(5);
});

test("goes on, whatever becomes of the machine's own clock", async () => {
  const { now, connection } = server();
  using clock = await opened(connection);
  vi.setSystemTime(Date.now() - HOUR);
  expect(now() - clock.now()).toBe(5);
  await later();
  expect(now() - clock.now()).toBe(5);
});

test("comes nearer by a quicker answer, and isn't moved by a slow one", async () => {
  const { its, now, connection } = server();
  using clock = await opened(connection);
  its.back = 1;
  await later();
  expect(now() - clock.now()).toBe(1);
  [its.there, its.back] = [2 * SECOND, 2 * SECOND];
  await later();
  expect(now() - clock.now()).toBe(1);
});

test("follows the database's clock where that is set, or another takes its place", async () => {
  const { its, now, connection } = server();
  using clock = await opened(connection);
  its.ahead += HOUR;
  await later();
  expect(now() - clock.now()).toBe(5);
  its.ahead -= 2 * HOUR;
  await later();
  expect(Math.abs(now() - clock.now())).toBeLessThanOrEqual(5);
});

test("goes on while the database is away", async () => {
  const { its, now, connection } = server();
  using clock = await opened(connection);
  its.isAway = true;
  await later();
  expect(now() - clock.now()).toBe(5);
});
