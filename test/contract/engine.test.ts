import { serialize } from "node:v8";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicId } from "../../services/platform/contract/topic.ts";
import type { Processor } from "../../services/domain/effect.ts";
import type { World } from "../../services/platform/engine/world.ts";
import { Transient } from "../../services/platform/contract/failure.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import type { Keyed } from "../../services/platform/contract/processor.ts";
import { HOUR, MINUTE, type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { product } from "../../services/domain/topics.ts";
import { memoryLog } from "../../services/platform/memory/log.ts";
import { memoryStore } from "../../services/platform/memory/store.ts";
import { wakeups } from "../../services/platform/runtime/wakeups.ts";
import { startEngine } from "../../services/platform/engine/engine.ts";
import { relay } from "../../services/platform/engine/output/relay.ts";
import { chaos, type Turn } from "../support/chaos.ts";
import { turns } from "../support/history.ts";
import { codec, first, inStep, logKey, type Row, second, START } from "./engine.fixture.ts";

/** The promises of the engine under all faults, checked by the lines that two tiny stages write. */

// Users and rooms on different lanes and members.
const USERS = ["u1", "u3", "u5"] as const;
const ROOMS = ["r1", "r3"] as const;

interface Drawn {
  readonly gap: Millis;
  readonly records: readonly { readonly topic: TopicId; readonly key: number; readonly wake: Millis | null }[];
}

const WAKES = [null, 0, 1, SECOND, 30 * SECOND, MINUTE, 90 * SECOND] as const;
const TOPICS = ["messages", "messages", "participants", "presence", "presence", "users", "settings"] as const;
const drawn: fc.Arbitrary<readonly Drawn[]> = fc.array(
  fc.record({
    gap: fc.constantFrom(1, 2, 500, SECOND, 29 * SECOND, MINUTE, 2 * MINUTE, HOUR),
    records: fc.array(
      fc.record({ topic: fc.constantFrom(...TOPICS), key: fc.nat(20), wake: fc.constantFrom(...WAKES) }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

interface Way {
  readonly turns?: readonly Turn[];
  readonly down?: readonly [from: number, to: number];
  readonly isAstray?: boolean;
  /** The first stage waits for the second as soon as a record lies between them. */
  readonly isInStep?: boolean;
  readonly partitions?: (topic: TopicId) => number;
}

/** The lines of each key, in order. */
const play = async (
  moments: readonly Drawn[],
  { turns: mishaps = [], down = [0, 0], isAstray = false, isInStep = false, partitions = () => 3 }: Way = {},
): Promise<Record<string, readonly string[]>> => {
  const world = chaos(codec, START, partitions, async (on) => [
    await startEngine(isInStep ? inStep : first, on),
    await startEngine(second, on),
  ]);
  const left = mishaps[Symbol.iterator]();
  let time = START;
  let number = 0;
  await world.advance(time, left);
  for (const [index, { gap, records }] of moments.entries()) {
    const isDown = index >= down[0] && index < down[1];
    time += gap;
    if (!isDown) await world.advance(time - 1, left);
    const start = time;
    time += records.length - 1;
    world.skip(time);
    await world.log.publish(
      // Records a millisecond apart: records of one time on several topics may come in any order.
      records.map(({ topic, key: drew, wake }, place) => {
        const timestamp = start + place;
        const names = topic === "messages" || topic === "participants" ? ROOMS : USERS;
        const key = names[drew % names.length] ?? "";
        const what = `${topic}-${number++}`;
        const to = USERS.filter((_user, user) => (drew & (1 << user)) !== 0);
        const value = { what, wake, to, by: (drew % 4) * 20 * SECOND, occurredAt: timestamp - (drew % 3) * SECOND };
        const count = partitions(topic);
        const partition = isAstray ? crc32(key) % count : laneOf(key, count);
        return { topic, key, partition, timestamp, value: serialize(value) };
      }),
    );
    if (!isDown) await world.advance(time, left);
  }
  await world.advance(time + 3 * HOUR, left);
  const found: Record<string, readonly string[]> = {};
  for (const [processor, keys] of [
    [first.name, ROOMS],
    [second.name, USERS],
  ] as const)
    for (const key of keys) {
      const home = processor === "conversations" ? "conversationStrays" : "inbox";
      const lane = laneOf(key, partitions(home));
      const [row] = (await world.store.load(processor, [{ lane, key: logKey(key) }])) as (Row | undefined)[];
      found[key] = row?.type === "log" ? row.lines : [];
    }
  return found;
};

const options = { numRuns: Number(process.env["RUNS"] ?? 60), interruptAfterTimeLimit: 40_000 };
const uneven = (topic: TopicId): number =>
  new Map<TopicId, number>([
    ["messages", 3],
    ["participants", 5],
    ["presence", 7],
    ["users", 2],
    ["settings", 2],
  ]).get(topic) ?? 4;

describe("the lines of every key are the same, in the same order", () => {
  test("events are folded in the order of the log's time, with timers between them", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (moments) => {
        for (const lines of Object.values(await play(moments))) {
          const times = lines.map((line) => Number(line.split(" at ")[1]));
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
      }),
      options,
    );
  });

  test.each<readonly [string, Way]>([
    ["where a step crashes, fails or is lost", {}],
    ["with records astray", { isAstray: true }],
    ["with other numbers of partitions", { partitions: uneven }],
    ["with both", { isAstray: true, partitions: uneven }],
    ["with stages in step", { isInStep: true, isAstray: true, partitions: uneven }],
  ])("%s", async (_name, way) => {
    await fc.assert(
      fc.asyncProperty(drawn, turns, async (moments, mishaps) => {
        expect(await play(moments, { ...way, turns: mishaps })).toEqual(await play(moments));
      }),
      options,
    );
  });

  test.each<readonly [string, Way]>([
    ["after an outage", {}],
    ["after an outage, with both", { isAstray: true, partitions: uneven }],
    ["after an outage, with stages in step", { isInStep: true, isAstray: true, partitions: uneven }],
  ])("%s", async (_name, way) => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.nat(6), fc.nat(12), turns, async (moments, from, length, mishaps) => {
        expect(await play(moments, { ...way, turns: mishaps, down: [from, from + length] })).toEqual(
          await play(moments),
        );
      }),
      options,
    );
  });
});

describe("the cost of a step", () => {
  /** A process, with its requests to the log and the store. */
  const counted = async () => {
    let now = START;
    const clock = { now: () => now };
    const asked: string[] = [];
    const log = memoryLog(clock, 2);
    const store = memoryStore(clock.now);
    const world: World = {
      product,
      log: { ...log, offsets: (places) => (asked.push("offsets"), log.offsets(places)) },
      store: {
        ...store,
        commit: (commit) => (asked.push(`commit ${commit.processor}`), store.commit(commit)),
        progress: (...args) => (asked.push("progress"), store.progress(...args)),
        due: (...args) => (asked.push("due"), store.due(...args)),
      },
      codec,
      clock,
      relay: relay(log, store),
      wakeups: wakeups(),
    };
    const engines = [await startEngine(first, world), await startEngine(second, world)];
    const settle = async () => {
      for (let did = true; did;) {
        did = false;
        for (const part of [...engines, world.relay]) did = (await part.step()) || did;
      }
    };
    const say = (topic: TopicId, key: string, partition: number) =>
      log.publish([{ topic, key, partition, value: serialize({ what: "a", wake: null, to: [], occurredAt: now }) }]);
    await settle();
    asked.length = 0;
    return { asked, settle, say, pass: () => void now++ };
  };

  test("an idle engine asks for nothing", async () => {
    const { asked, settle, pass } = await counted();
    pass();
    await settle();
    expect(asked).toEqual([]);
  });

  test("a record at home costs one commit and no look at the store; a stray costs two commits", async () => {
    const { asked, settle, say, pass } = await counted();
    pass();
    await say("messages", "r1", laneOf("r1", 2));
    await settle();
    expect(asked).toEqual(["offsets", "offsets", "commit conversations"]);
    asked.length = 0;
    await say("messages", "r1", 1 - laneOf("r1", 2));
    await settle();
    expect(asked.filter((what) => what.startsWith("commit"))).toHaveLength(2);
  });
});

test("an engine that can't start leaves no member in its group", async () => {
  const clock = { now: () => START };
  const log = memoryLog(clock, 2);
  const store = memoryStore(clock.now);
  const members = new Set<string>();
  const joining: World["log"] = {
    ...log,
    async subscribe(group, ...of) {
      if (group.includes(".lore.")) throw new Transient("not now");
      const member = await log.subscribe(group, ...of);
      members.add(group);
      return { ...member, [Symbol.asyncDispose]: async () => void members.delete(group) };
    },
  };
  const world: World = { product, log: joining, store, codec, clock, relay: relay(log, store), wakeups: wakeups() };
  await expect(startEngine(second, world)).rejects.toThrow("not now");
  expect(members).toEqual(new Set());
});

test("records in order of arrival are folded by all settings that the log had at the start", async () => {
  const clock = { now: () => START };
  const log = memoryLog(clock, 2);
  const store = memoryStore(clock.now);
  let isSlow = true;
  const slowly: World["log"] = {
    ...log,
    async subscribe(group, ...of) {
      const member = await log.subscribe(group, ...of);
      return group.includes(".lore.") ? { ...member, take: (...more) => (isSlow ? [] : member.take(...more)) } : member;
    },
  };
  const counting: Processor<number, Keyed, number> = {
    name: "mailer",
    inputs: ["preferences"],
    home: "preferences",
    strays: null,
    order: "arrival",
    upstream: [],
    globalTable: { topics: ["settings"], initial: 0, apply: (known) => known + 1 },
    read: ({ key, at, loggedAt: timestamp }) => [{ key, at, loggedAt: timestamp }],
    rows: ({ key }) => [key],
    fold: ({ key }, _rows, known) => ({ writes: [[key, known]], effects: [] }),
    wake: () => null,
  };
  const value = serialize({});
  const lane = laneOf("u1", 2);
  await log.publish([
    { topic: "settings", key: "a", partition: 0, value },
    { topic: "settings", key: "b", partition: 1, value },
    { topic: "preferences", key: "u1", partition: lane, value },
  ]);
  const engine = await startEngine(counting, {
    product,
    log: slowly,
    store,
    codec,
    clock,
    relay: relay(slowly, store),
    wakeups: wakeups(),
  });
  const load = async () => await store.load("mailer", [{ lane, key: "u1" }]);
  for (let steps = 0; steps < 5; steps += 1) await engine.step();
  expect(await load()).toEqual([undefined]);
  isSlow = false;
  while (await engine.step());
  expect(await load()).toEqual([2]);
});
