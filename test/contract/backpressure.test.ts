import { product } from "../../services/domain/topics.ts";
import { serialize } from "node:v8";
import { expect, test } from "vitest";
import type { World } from "../../services/platform/engine/world.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { memoryLog } from "../../services/platform/memory/log.ts";
import { memoryStore } from "../../services/platform/memory/store.ts";
import { wakeups } from "../../services/platform/runtime/wakeups.ts";
import { type Engine, startEngine } from "../../services/platform/engine/engine.ts";
import { relay } from "../../services/platform/engine/output/relay.ts";
import { codec, inStep, logKey, type Row, second, START } from "./engine.fixture.ts";

test("an upstream processor pauses while its downstream topic is full, and resumes", async () => {
  let now = START;
  const clock = { now: () => now };
  const log = memoryLog(clock, 2);
  const store = memoryStore(clock.now);
  const world: World = { product, log, store, codec, clock, relay: relay(log, store), wakeups: wakeups() };
  const [feeding, fed] = [await startEngine(inStep, world), await startEngine(second, world)];
  const settle = async (...parts: readonly Pick<Engine, "step">[]): Promise<void> => {
    for (let did = true; did;) {
      did = false;
      for (const part of parts) did = (await part.step()) || did;
    }
  };
  const lane = laneOf("r1", 2);
  const say = async (what: string): Promise<void> => {
    now += SECOND;
    const value = serialize({ what, wake: null, to: ["u1"], occurredAt: now });
    await log.publish([{ topic: "messages", key: "r1", partition: lane, timestamp: now, value }]);
    await settle(feeding, world.relay);
  };
  const folded = async (): Promise<number> => {
    const [row] = (await store.load("conversations", [{ lane, key: logKey("r1") }])) as (Row | undefined)[];
    return row?.type === "log" ? row.lines.length : 0;
  };
  await say("a");
  expect(await folded()).toBe(1);
  await say("b");
  await say("c");
  expect(await folded()).toBe(1);
  expect(log.records("inbox")).toHaveLength(1);
  await settle(feeding, fed, world.relay);
  expect(await folded()).toBe(3);
});
