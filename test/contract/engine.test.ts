import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Transient } from "../../services/core/failure.ts";
import { laneOf } from "../../services/core/lane.ts";
import type { Codec } from "../../services/core/ports.ts";
import { eachOf, type Keyed, type Lore, type Processor } from "../../services/core/processor.ts";
import { HOUR, MINUTE, type Millis, SECOND } from "../../services/core/time.ts";
import type { TopicId } from "../../services/core/topics.ts";
import { memoryLog } from "../../services/memory/log.ts";
import { memoryStore } from "../../services/memory/store.ts";
import { bell } from "../../services/runtime/bell.ts";
import { startEngine, type World } from "../../services/runtime/engine.ts";
import { relay } from "../../services/runtime/relay.ts";
import { chaos, type Turn } from "../support/chaos.ts";
import { turns } from "../support/history.ts";

/** Two tiny stages that write down what they fold, in which order: what the engine promises of it, whatever happens. */

/** Any value at all. */
const codec: Codec = {
  prepare: () => Promise.resolve(),
  decode: (_topic, value): unknown => deserialize(value),
  encode: (_topic, value) => serialize(value),
};

const START: Millis = 1_000_000_000;
const USERS = ["u1", "u2", "u3"] as const;
const ROOMS = ["r1", "r2"] as const;

interface Said extends Keyed {
  readonly what: string;
  /** When its row wants to be woken after that. */
  readonly wake: Millis | null;
}
/** `log` of a key is what was folded; `timer` rows wake, each for itself, and write in the same log. */
type Row =
  | { readonly type: "log"; readonly lines: readonly string[] }
  | { readonly type: "timer"; readonly from: Millis; readonly at: Millis };

type Timer = Extract<Row, { readonly type: "timer" }>;

const logKey = (key: string): string => `log ${key}`;
const timerKey = (key: string, of: number): string => `timer ${key} ${of}`;

const lore: Lore<readonly (readonly [seen: Millis, by: Millis])[]> = {
  topics: ["settings"],
  begin: [],
  learn: (known, { timestamp, value }) => [...known, [timestamp, (value as unknown as { by?: Millis }).by ?? 0]],
};
type Known = readonly (readonly [seen: Millis, by: Millis])[];
/** Timers of the second stage ring so much earlier from a setting on. */
const sooner = (known: Known, at: Millis): Millis => known.filter(([seen]) => seen <= at).at(-1)?.[1] ?? 0;
/** The first time at which a timer rings, by the settings that hold at each time. */
const ringing = (known: Known, { at: due, from: set }: Timer): Millis => {
  const changes = known.map(([seen]) => seen);
  const starts = [set, ...changes.filter((change) => change > set)];
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? Infinity;
    const at = Math.max(start, due - sooner(known, start));
    if (at < end) return at;
  }
  return due;
};

const steps = <Given>(by: (given: Given, timer: Timer) => Millis) => ({
  rows: (event: Said) => eachOf(event).flatMap(({ key, what }) => [logKey(key), timerKey(key, crc32(what) % 3)]),
  fold(
    event: Said | { readonly type: "due"; readonly key: string; readonly at: Millis },
    rows: { get(key: string): Row | undefined },
    given: Given,
  ) {
    const user = "type" in event ? (event.key.split(" ")[1] ?? "") : event.key;
    const had = rows.get(logKey(user));
    const lines = had?.type === "log" ? had.lines : [];
    if ("type" in event) {
      const row = rows.get(event.key);
      if (row?.type !== "timer" || by(given, row) > event.at) throw new Error(`${event.key} woken too early`);
      const line = `${event.key} rings at ${event.at - START}`;
      return {
        writes: [
          [event.key, null],
          [logKey(user), { type: "log", lines: [...lines, line] }],
        ] as const,
        line,
        user,
      };
    }
    const line = `${event.what} at ${event.seen - START}`;
    const timer = timerKey(user, crc32(event.what) % 3);
    const set =
      event.wake === null ? [] : [[timer, { type: "timer", from: event.seen, at: event.seen + event.wake }] as const];
    return { writes: [[logKey(user), { type: "log", lines: [...lines, line] }] as const, ...set], line, user };
  },
});

interface Content {
  readonly what: string;
  readonly wake: Millis | null;
  readonly to: readonly string[];
}

const first: Processor<Row, Said & { readonly to: readonly string[] }> = {
  name: "conversations",
  inputs: ["messages", "participants"],
  home: "conversationStrays",
  strays: "conversationStrays",
  upstream: [
    { processor: "conversations", from: ["messages", "participants"], to: "conversationStrays", by: "examined" },
  ],
  read: ({ key, value, at, timestamp }) => [{ key, at, seen: timestamp, ...(value as unknown as Content) }],
  rows: steps<undefined>((_none, { at }) => at).rows,
  fold(event, rows, given) {
    const { writes } = steps<undefined>((_none, { at }) => at).fold(event, rows, given);
    if ("type" in event) return { writes, effects: [] };
    const entry = { what: event.what, wake: event.wake, occurredAt: event.at, loggedAt: event.seen, mentioned: [] };
    const more = { type: "CANDIDATE", recipients: event.to, conversationId: event.key, messageId: event.what };
    return { writes, effects: [{ type: "fanOut", entry: { ...entry, ...more } as never }] };
  },
  wake: (row) => (row.type === "timer" ? row.at : null),
};

const second: Processor<Row, Said, Known> = {
  name: "inboxes",
  inputs: ["presence", "users", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  upstream: [
    ...first.upstream,
    {
      processor: "conversations",
      from: ["messages", "participants", "conversationStrays"],
      to: "inbox",
      by: "folded",
    },
    { processor: "inboxes", from: ["presence", "users"], to: "inboxStrays", by: "examined" },
  ],
  lore,
  read(record) {
    if (record.topic !== "inbox")
      return [{ key: record.key, at: record.at, seen: record.timestamp, ...(record.value as unknown as Content) }];
    return (record.value?.entries ?? []).flatMap((entry) => {
      const { what, wake } = entry as unknown as Content;
      const [key] = entry.recipients;
      if (key === undefined) return [];
      return [{ key, keys: entry.recipients, at: entry.occurredAt, seen: entry.loggedAt, what, wake }];
    });
  },
  rows: steps<Known>(ringing).rows,
  fold: (event, rows, known) => ({ writes: steps<Known>(ringing).fold(event, rows, known).writes, effects: [] }),
  wake: (row, known) => (row.type === "timer" ? ringing(known, row) : null),
};

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
  readonly partitions?: (topic: TopicId) => number;
}

/** What each key's rows folded, in order. */
const play = async (
  moments: readonly Drawn[],
  { turns: mishaps = [], down = [0, 0], isAstray = false, partitions = () => 3 }: Way = {},
): Promise<Record<string, readonly string[]>> => {
  const world = chaos(codec, START, partitions, async (on) => [
    await startEngine(first, () => undefined, on),
    await startEngine(second, () => [], on),
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
      // A millisecond apart: streams of one time come together in no order that outlives them.
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

describe("what is folded, and which timers ring between, is the same in the same order", () => {
  test("it is in the order of the log's time, timers between", async () => {
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
    ["whatever crashes, fails or is lost", {}],
    ["with records astray", { isAstray: true }],
    ["with other numbers of partitions", { partitions: uneven }],
    ["with both", { isAstray: true, partitions: uneven }],
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

describe("what it costs", () => {
  /** A process, and what it asks of the log and the store. */
  const counted = async () => {
    let now = START;
    const clock = { now: () => now };
    const asked: string[] = [];
    const log = memoryLog(clock, 2);
    const store = memoryStore(clock.now);
    const world: World = {
      log: { ...log, extents: (places) => (asked.push("extents"), log.extents(places)) },
      store: {
        ...store,
        commit: (commit) => (asked.push(`commit ${commit.processor}`), store.commit(commit)),
        progress: (...of) => (asked.push("progress"), store.progress(...of)),
        due: (...of) => (asked.push("due"), store.due(...of)),
      },
      codec,
      clock,
      relay: relay(log, store),
      bell: bell(),
    };
    const engines = [await startEngine(first, () => undefined, world), await startEngine(second, () => [], world)];
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

  test("nothing while nothing comes", async () => {
    const { asked, settle, pass } = await counted();
    pass();
    await settle();
    expect(asked).toEqual([]);
  });

  test("a record costs one commit where all lanes are at home, and no look at the store; a stray costs two", async () => {
    const { asked, settle, say, pass } = await counted();
    pass();
    await say("messages", "r1", laneOf("r1", 2));
    await settle();
    expect(asked).toEqual(["extents", "extents", "commit conversations"]);
    asked.length = 0;
    await say("messages", "r1", 1 - laneOf("r1", 2));
    await settle();
    expect(asked.filter((what) => what.startsWith("commit"))).toHaveLength(2);
  });
});

test("an engine that can't start leaves no member of its group behind, which would keep lanes and never step", async () => {
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
  const world: World = { log: joining, store, codec, clock, relay: relay(log, store), bell: bell() };
  await expect(startEngine(second, () => [], world)).rejects.toThrow("not now");
  expect(members).toEqual(new Set());
});
