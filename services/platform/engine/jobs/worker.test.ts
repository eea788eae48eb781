import { product } from "../../../domain/topics.ts";
import { expect, test } from "vitest";
import { Transient } from "../../contract/failure.ts";
import { queueStream } from "../../contract/stream.ts";
import { DAY, MINUTE, SECOND } from "../../contract/time.ts";
import { memoryLog } from "../../memory/log.ts";
import { memoryStore } from "../../memory/store.ts";
import { wakeups } from "../../runtime/wakeups.ts";
import { avroCodec } from "../../adapters/registry/codec.ts";
import { relay } from "../output/relay.ts";
import { worker } from "./worker.ts";

/** A world with one job that is due, under a clock that shows `time.now`. */
const workplace = async () => {
  const time = { now: 0 };
  const clock = { now: () => time.now };
  const log = memoryLog(clock, 1);
  const store = memoryStore(clock.now);
  const [hold] = await store.claim("mailer", [0]);
  if (hold === undefined) throw new Error("no lane");
  const jobs = [{ queue: "mail", id: "a", payload: {}, runAt: 0 }];
  await store.commit({ processor: "mailer", lanes: [hold], revisit: null, rows: [], outbox: [], jobs });
  const codec = avroCodec(product, undefined as never, new Map());
  return { time, store, world: { product, log, store, codec, clock, relay: relay(log, store), wakeups: wakeups() } };
};

/** Milliseconds between the attempts of a job that always fails by this error. */
const pauses = async (error: Error, attempts: number): Promise<readonly number[]> => {
  const { time, store, world } = await workplace();
  const failing = worker({ queue: "mail", concurrency: 1, attempt: () => Promise.reject(error) }, world);
  const waits: number[] = [];
  while (waits.length < attempts) {
    await failing.step();
    await failing.drain(AbortSignal.timeout(MINUTE));
    const due = (await store.nextJob("mail")) ?? Infinity;
    waits.push(due - time.now);
    time.now = due;
  }
  return waits;
};

test("a job that fails transiently is tried again soon, and then less and less often", async () => {
  expect(await pauses(new Transient("Kafka: not now"), 8)).toEqual(
    [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * SECOND),
  );
});

test("a job that fails by a fault of ours is tried again after a minute", async () => {
  expect(await pauses(new Error("undefined is not a function"), 2)).toEqual([MINUTE, MINUTE]);
});

/** A worker whose attempts wait, and then send if they still hold the lease. `end` lets them go on and counts those that sent. */
const hesitant = async () => {
  const { time, world } = await workplace();
  const goOn = Promise.withResolvers<void>();
  let sent = 0;
  const work = worker(
    {
      queue: "mail",
      concurrency: 2, // with one under way there is room for another
      async attempt(_job, _signal, ensureLeased) {
        await goOn.promise;
        ensureLeased();
        sent++;
        return { settlement: { state: "done" }, publish: [], detail: {} };
      },
    },
    world,
  );
  await work.step();
  const end = async (): Promise<number> => {
    goOn.resolve();
    await work.drain(AbortSignal.timeout(MINUTE));
    return sent;
  };
  return { time, work, end };
};

test("a worker that stood still until another may have taken the job does not send", async () => {
  const { time, end } = await hesitant();
  time.now += 26 * SECOND; // the clock of another process may be ahead
  expect(await end()).toBe(0);
});

test("a lease that has run out is not renewed but taken anew, and only its new holder sends", async () => {
  const { time, work, end } = await hesitant();
  time.now += 30 * SECOND;
  await work.step();
  expect(await end()).toBe(1);
});

test("an attempt that takes long renews its lease, and sends", async () => {
  const { time, work, end } = await hesitant();
  for (let seconds = 0; seconds < 60; seconds += 20) {
    time.now += 20 * SECOND;
    await work.step();
  }
  expect(await end()).toBe(1);
});

test("records that a process saved and did not live to publish are published by another worker of the queue", async () => {
  const { time, store, world } = await workplace();
  const [job] = await store.lease("mail", 1, time.now, time.now + MINUTE);
  if (job === undefined) throw new Error("no job");
  const entry = { stream: queueStream("mail"), topic: "notifications", key: "ada", partition: null } as const;
  await store.settle(job, { state: "done" }, [{ ...entry, value: new Uint8Array([1]) }]);
  const other = worker({ queue: "mail", concurrency: 1, attempt: () => Promise.reject(new Error("none")) }, world);

  await other.step();
  expect(await world.relay.step()).toBe(false); // the process that saved it may be about to publish it
  time.now += 2 * MINUTE;
  await other.step();
  expect(await world.relay.step()).toBe(true);
  expect(await world.log.offsets([{ topic: "notifications", partition: 0 }])).toEqual([{ low: 0, high: 1 }]);
});

test("jobs that ended a month ago are forgotten with their notes, however many there are", async () => {
  const { time, store, world } = await workplace();
  const noted = { left: 2_500, asked: [] as number[] };
  const done = { settlement: { state: "done" }, publish: [], detail: {} } as const;
  const work = worker(
    {
      queue: "mail",
      concurrency: 1,
      attempt: () => Promise.resolve(done),
      forget(before, limit) {
        noted.asked.push(before);
        const gone = Math.min(limit, noted.left);
        noted.left -= gone;
        return Promise.resolve(gone);
      },
    },
    world,
  );
  await work.step();
  await work.drain(AbortSignal.timeout(MINUTE));
  const month = 30 * DAY;
  expect(await store.forget("mail", 0, 10)).toBe(0);
  time.now = month + 1;
  while (noted.left > 0) await work.step();
  expect(noted.asked).toContain(1);
  expect(await store.forget("mail", Infinity, 10)).toBe(0);
});
