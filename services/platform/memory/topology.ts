import type { Clock, Codec } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { Product, TopicId } from "../contract/topic.ts";
import type { Work } from "../contract/work.ts";
import { type Engine, type Provided, startEngine } from "../engine/engine.ts";
import { type Worker, worker } from "../engine/jobs/worker.ts";
import { type NewRecord, publish } from "../engine/output/publish.ts";
import { relay } from "../engine/output/relay.ts";
import type { World } from "../engine/world.ts";
import { wakeups } from "../runtime/wakeups.ts";
import { memoryLog, type MemoryLog, type Partitions } from "./log.ts";
import { memoryStore } from "./store.ts";

/** Processors and workers over a log and a store in memory, under a clock that moves only when it is told to. */
export interface Topology extends AsyncDisposable {
  readonly log: MemoryLog;
  readonly world: World;
  /** Adds a processor; `given` as for `startEngine`. */
  process<Row, Event extends Keyed, Given>(
    processor: Processor<Row, Event, Given>,
    ...given: Provided<Given>
  ): Promise<void>;
  work(work: Work): void;
  publish(...records: readonly NewRecord[]): Promise<void>;
  /** Runs everything until nothing has anything to do at this time. */
  settle(): Promise<void>;
  /** Moves the clock to `to` and settles there; stops on the way at each time at which a timer or job is due. */
  advance(to: Millis): Promise<void>;
  /** The decoded values of a topic, by partition and offset. */
  values(topic: TopicId): readonly object[];
}

/** Rounds at one time, after which the topology is taken to run in circles. */
const MAX_ROUNDS = 1_000_000;

/** Makes an empty topology. @param start the clock's first time */
export const topology = (product: Product, codec: Codec, start: Millis, partitions?: Partitions): Topology => {
  let now = start;
  const clock: Clock = { now: () => now };
  const log = memoryLog(clock, partitions);
  const store = memoryStore(clock.now);
  const publisher = relay(log, store);
  const world: World = { product, log, store, codec, clock, relay: publisher, wakeups: wakeups() };
  const engines: Engine[] = [];
  const workers: Worker[] = [];

  const round = async (): Promise<boolean> => {
    let did = false;
    for (const engine of engines) did = (await engine.step()) || did;
    did = (await publisher.step()) || did;
    for (const one of workers) {
      did = (await one.step()) || did;
      await one.drain(new AbortController().signal);
    }
    return did;
  };

  const settle = async (): Promise<void> => {
    for (let rounds = 0; await round(); rounds++)
      if (rounds === MAX_ROUNDS) throw new Error(`the topology still finds work at ${now} after ${MAX_ROUNDS} rounds`);
  };

  const nextDue = async (): Promise<Millis | null> => {
    const dues = [
      ...engines.map((engine) => engine.nextDue()),
      ...(await Promise.all(workers.map((one) => one.nextDue()))),
    ];
    const known = dues.filter((due) => due !== null);
    return known.length === 0 ? null : Math.min(...known);
  };

  return {
    log,
    world,
    settle,
    async process(processor, ...given) {
      engines.push(await startEngine(processor, world, ...given));
    },
    work: (work) => void workers.push(worker(work, world)),
    publish: (...records) => publish(log, codec, records),
    async advance(to) {
      await settle();
      for (let due = await nextDue(); due !== null && due <= to; due = await nextDue()) {
        if (due <= now) throw new Error(`a timer or job was due at ${due}, and is still due at ${now}`);
        now = due;
        await settle();
      }
      now = Math.max(now, to);
      await settle();
    },
    values: (topic) =>
      log.records(topic).flatMap(({ value }) => (value === null ? [] : [codec.decode(topic, value) as object])),
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine[Symbol.asyncDispose]();
    },
  };
};
