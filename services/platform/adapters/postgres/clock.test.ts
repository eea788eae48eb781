import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection } from "../../contract/database.ts";
import { HOUR, SECOND } from "../../contract/time.ts";
import { databaseClock } from "./clock.ts";

beforeEach(
  () => void vi.useFakeTimers({ toFake: ["performance", "Date", "setInterval", "clearInterval", "setTimeout"] }),
);
afterEach(() => void vi.useRealTimers());

/** A database whose clock is an hour ahead. A question takes `there` milliseconds, and its answer `back` milliseconds. */
const server = () => {
  const state = { ahead: HOUR, there: 3, back: 5, isAway: false };
  const now = () => state.ahead + performance.now();
  const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const connection: Connection = {
    async query<Row extends object>() {
      await wait(state.there);
      if (state.isAway) throw new Error("away");
      const row = { now: now() };
      await wait(state.back);
      return [row as unknown as Row];
    },
  };
  return { state, now, connection };
};

const opened = async (connection: Connection) => {
  const opening = databaseClock(connection);
  await vi.advanceTimersByTimeAsync(SECOND);
  return opening;
};

/** Waits long enough for the clock to look again. */
const later = () => vi.advanceTimersByTimeAsync(30 * SECOND);

test("the clock shows the database's time, behind by no more than the answer took", async () => {
  const { now, connection } = server();
  using clock = await opened(connection);
  expect(now() - clock.now()).toBe(5);
  await later();
  expect(now() - clock.now()).toBe(5);
});

test("the clock does not follow the machine's own clock when that is set", async () => {
  const { now, connection } = server();
  using clock = await opened(connection);
  vi.setSystemTime(Date.now() - HOUR);
  expect(now() - clock.now()).toBe(5);
  await later();
  expect(now() - clock.now()).toBe(5);
});

test("a quicker answer brings the clock nearer, and a slow answer does not move it", async () => {
  const { state, now, connection } = server();
  using clock = await opened(connection);
  state.back = 1;
  await later();
  expect(now() - clock.now()).toBe(1);
  [state.there, state.back] = [2 * SECOND, 2 * SECOND];
  await later();
  expect(now() - clock.now()).toBe(1);
});

test("the clock follows the database's clock when that is set, or when another database takes over", async () => {
  const { state, now, connection } = server();
  using clock = await opened(connection);
  state.ahead += HOUR;
  await later();
  expect(now() - clock.now()).toBe(5);
  state.ahead -= 2 * HOUR;
  await later();
  expect(Math.abs(now() - clock.now())).toBeLessThanOrEqual(5);
});

test("the clock goes on while the database does not answer", async () => {
  const { state, now, connection } = server();
  using clock = await opened(connection);
  state.isAway = true;
  await later();
  expect(now() - clock.now()).toBe(5);
});
