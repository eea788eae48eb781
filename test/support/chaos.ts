import { product } from "../../services/domain/topics.ts";
import type { World } from "../../services/platform/engine/world.ts";
import { Transient } from "../../services/platform/contract/failure.ts";
import type { Clock, Codec, Log, Outgoing, Store, Subscription } from "../../services/platform/contract/ports.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import { conversations } from "../../services/conversations/rule.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { memoryLog, type MemoryLog, type Partitions } from "../../services/platform/memory/log.ts";
import { memoryStore } from "../../services/platform/memory/store.ts";
import { wakeups } from "../../services/platform/runtime/wakeups.ts";
import { type Engine, startEngine } from "../../services/platform/engine/engine.ts";
import { type Relay, relay } from "../../services/platform/engine/output/relay.ts";
import { settingsSaid } from "./settings.ts";

/** A fault that strikes at the next chance. */
export type Mishap =
  /** The store is away, or it saves and the answer is lost. */
  | "commitFails"
  | "commitIsLost"
  /** The log is away, or it takes all and the answer is lost, or its entries are never marked as published. */
  | "publishFails"
  | "publishIsLost"
  | "markIsLost"
  /** A stalled process publishes old records once more. */
  | "echo"
  /** A process dies, is cut off from its group and works on, or starts. */
  | "crash"
  | "cutOff"
  | "join";

/** One step of one process, which takes at most so many records, after a mishap or none. */
export interface Turn {
  readonly process: number;
  readonly part: 0 | 1 | 2;
  readonly take: number;
  readonly mishap: Mishap | null;
}

/** Every processor of the project, in processes that come and go over one log and one store in memory. */
export interface Chaos {
  readonly log: MemoryLog;
  readonly store: Store;
  /** Moves the clock. Timers fire at their times, at first in the order of the turns, then without mishaps. */
  advance(to: Millis, turns: Iterator<Turn>): Promise<void>;
  /** Moves the clock, and no process steps. */
  skip(to: Millis): void;
  triggered(): readonly NotificationEvent[];
}

interface Process {
  readonly engines: readonly Engine[];
  readonly relay: Relay;
  /** Leaves the process's groups, even if it goes on. */
  leave(): Promise<void>;
}

/** The settings of the inboxes; times in seconds. */
const SETTINGS = { timeout: 300 };
/** Records of an echo. */
const ECHO = 12;
/** Processes at once, without those that were cut off. */
const MAX_PROCESSES = 2;
/** Rounds of steps at one time; more count as an endless loop. */
const MAX_ROUNDS = 1_000;
/** Turns with mishaps at one time. The steps after them go without. */
const TURNS = 8;

/** Starts a process's engines. */
export type Join = (world: World) => Promise<readonly Engine[]>;

const joinProject: Join = async (world) => [await startEngine(conversations, world), await startEngine(inboxes, world)];

/** The world of a chaos: processes over one log and one store, and the mishaps to come. */
interface Running {
  readonly log: MemoryLog;
  readonly kept: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly join: Join;
  readonly next: Set<Mishap>;
  readonly published: Outgoing[];
  readonly live: Process[];
  readonly cutOff: Process[];
  now: Millis;
  /** Largest number of records that a subscription takes in the present step. */
  take: number;
}

export const chaos = (codec: Codec, start: Millis, partitions?: Partitions, join: Join = joinProject): Chaos => {
  const clock: Clock = { now: () => running.now };
  const log = memoryLog(clock, partitions);
  const kept = memoryStore(clock.now);
  const running: Running = {
    log,
    kept,
    codec,
    clock,
    join,
    next: new Set(),
    published: [],
    live: [],
    cutOff: [],
    now: start,
    take: Infinity,
  };
  const said = settingsSaid(SETTINGS, start);
  // At once: the log is in memory.
  void log.publish([{ ...said, value: codec.encode("settings", said.value), timestamp: start }]);
  return {
    log,
    store: kept,
    skip: (to) => void (running.now = Math.max(running.now, to)),
    async advance(to, turns) {
      let last = -Infinity;
      for (let time: Millis | null = running.now; time !== null && time <= to; time = due(running)) {
        if (time < running.now || time === last)
          throw new Error(`a timer was due at ${time}, and still is at ${running.now}`);
        running.now = last = time;
        for (let turn = 0; turn < TURNS; turn++) {
          const drawn = turns.next();
          if (drawn.done === true) break;
          await run(running, drawn.value);
        }
        await settle(running);
      }
      running.now = Math.max(running.now, to);
      await settle(running);
    },
    triggered: () =>
      log
        .records("notifications")
        .flatMap(({ value }) => (value === null ? [] : [codec.decode("notifications", value) as NotificationEvent])),
  };
};

/** Runs an action. It fails before or after where one of these mishaps is to come. */
const failing = async <T>({ next }: Running, before: Mishap, after: Mishap, act: () => Promise<T>): Promise<T> => {
  if (next.delete(before)) throw new Transient(before);
  const result = await act();
  if (next.delete(after)) throw new Transient(after);
  return result;
};

/** Starts a process. */
const open = async (running: Running): Promise<void> => {
  const { log, kept, codec, clock, join, live, published } = running;
  const joined: Subscription[] = [];
  const store: Store = {
    ...kept,
    commit: (commit) => failing(running, "commitFails", "commitIsLost", () => kept.commit(commit)),
    published: (entries) => failing(running, "markIsLost", "markIsLost", () => kept.published(entries)),
  };
  const processLog: Log = {
    ...log,
    publish: (records) =>
      failing(running, "publishFails", "publishIsLost", async () => {
        published.push(...records);
        await log.publish(records);
      }),
    async subscribe(...to) {
      const subscription = await log.subscribe(...to);
      joined.push(subscription);
      return { ...subscription, take: (limit, isWanted) => subscription.take(Math.min(limit, running.take), isWanted) };
    },
  };
  const publisher = relay(processLog, store);
  const world = { product, log: processLog, store, codec, clock, relay: publisher, wakeups: wakeups() };
  const engines = await join(world);
  const leave = async (): Promise<void> => {
    for (const each of joined) await each[Symbol.asyncDispose]();
  };
  live.push({ engines, relay: publisher, leave });
};

/** Runs a step. A process whose step fails goes on with the next, as its loops do. */
const attempt = async (step: () => Promise<boolean>): Promise<boolean> => {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Transient)) throw error;
    return true;
  }
};

/** Lets a mishap strike, and runs the turn's step. */
const run = async (running: Running, { process, part, take, mishap }: Turn): Promise<void> => {
  const { log, next, published, live, cutOff } = running;
  if (mishap === "crash" || mishap === "cutOff") {
    const [gone] = live.splice(process % Math.max(1, live.length), 1);
    await gone?.leave();
    if (gone !== undefined && mishap === "cutOff") cutOff.push(gone);
  } else if (mishap === "join") {
    if (live.length < MAX_PROCESSES) await open(running);
  } else if (mishap === "echo") {
    await log.publish(published.slice(-ECHO));
  } else if (mishap !== null) {
    next.add(mishap);
  }
  const all = [...live, ...cutOff];
  const chosen = all[process % Math.max(1, all.length)];
  running.take = take;
  const step = [...(chosen?.engines ?? []), chosen?.relay][part];
  if (step !== undefined) await attempt(() => step.step());
  running.take = Infinity;
};

/** Runs steps without mishaps until no process has work left. */
const settle = async (running: Running): Promise<void> => {
  const { next, live } = running;
  next.clear();
  if (live.length === 0) await open(running);
  // A fenced engine reports nothing done, and claims its lanes again at its next step.
  for (let quiet = 0, rounds = 0; quiet < 2; quiet++, rounds++) {
    if (rounds === MAX_ROUNDS) throw new Error(`there is still something to do at ${running.now}`);
    for (const { engines, relay: publisher } of live)
      for (const part of [...engines, publisher]) if (await attempt(() => part.step())) quiet = -1;
  }
};

/** The earliest timer of all processes; null where there is none. */
const due = ({ live }: Running): Millis | null => {
  const dues = live.flatMap(({ engines }) => engines.map((engine) => engine.nextDue())).filter((each) => each !== null);
  return dues.length === 0 ? null : Math.min(...dues);
};
