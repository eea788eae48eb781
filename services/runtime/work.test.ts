import { expect, test } from "vitest";
import { Transient } from "../core/failure.ts";
import { MINUTE, SECOND } from "../core/time.ts";
import { memoryLog } from "../memory/log.ts";
import { memoryStore } from "../memory/store.ts";
import { bell } from "./bell.ts";
import { avroCodec } from "./codec.ts";
import { relay } from "./relay.ts";
import { worker } from "./work.ts";

/** Milliseconds between the attempts of a job that fails so, again and again. */
const pauses = async (error: Error, attempts: number): Promise<readonly number[]> => {
  let now = 0;
  const clock = { now: () => now };
  const log = memoryLog(clock, 1);
  const store = memoryStore(clock.now);
  const [hold] = await store.claim("mailer", [0]);
  if (hold === undefined) throw new Error("no lane");
  const jobs = [{ queue: "mail", id: "a", payload: {}, runAt: 0 }];
  await store.commit({ processor: "mailer", holds: [hold], revisit: null, rows: [], outbox: [], jobs });
  const codec = avroCodec(undefined as never, new Map());
  const world = { log, store, codec, clock, relay: relay(log, store), bell: bell() };
  const failing = worker({ queue: "mail", concurrency: 1, attempt: () => Promise.reject(error) }, world);
  const waits: number[] = [];
  while (waits.length < attempts) {
    await failing.step();
    await failing.drain(AbortSignal.timeout(MINUTE));
    const due = (await store.nextJob("mail")) ?? Infinity;
    waits.push(due - now);
    now = due;
  }
  return waits;
};

test("what may pass is tried again at once, and less and less often", async () => {
  expect(await pauses(new Transient("Kafka: not now"), 8)).toEqual(
    [2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * SECOND),
  );
});

test("what is a fault of ours is tried again after a minute", async () => {
  expect(await pauses(new Error("undefined is not a function"), 2)).toEqual([MINUTE, MINUTE]);
});
