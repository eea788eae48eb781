import { Fatal, Transient } from "../contract/failure.ts";
import type { Clock, Codec, Log, TopicPartition, Store, Subscription } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { topicIds } from "../../domain/topics.ts";
import type { Wakeups } from "../runtime/wakeups.ts";
import { wanted } from "./poll.ts";
import { announce } from "../runtime/facts.ts";
import { backpressure } from "./time/backpressure.ts";
import { readLoreOf } from "./intake/global-table.ts";
import type { Relay } from "./output/relay.ts";
import { type Tenure, takeOver } from "./assignment.ts";
import { turn } from "./step.ts";

/** What an engine works with. */
export interface World {
  readonly log: Log;
  readonly store: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly relay: Relay;
  /** Rung with a queue's name when it has new jobs. */
  readonly bell: Wakeups;
}

/** Runs one processor over the lanes that its group assigns here. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  /**
   * Takes what has arrived and is due, as one transaction; false when there was nothing. After a failure it takes its
   * lanes over anew before it goes on, so the failed step is done again or found done. Throws Transient, Fatal.
   */
  step(): Promise<boolean>;
  /** When a timer is due that no arrival announces. */
  nextDue(): Millis | null;
  /** Resolves when there may be something to do for `step`, timers apart, or the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
}

/** Milliseconds between two hints to the log of how far the group is. */
const HINT_EVERY = 5_000;
/**
 * Milliseconds between two looks whether the lanes are still ours. Whoever writes finds out; but who took them and died
 * may have left something to publish, with nothing more to write here for a long time.
 */
const LOOK_EVERY = 5_000;

/** Joins the processor's group. `given` is asked at each step for what the root hands the fold, unless lore says it. */
export const startEngine = async <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: () => Given | Promise<Given>,
  world: World,
): Promise<Engine> => {
  const { log, clock, relay } = world;
  const lanes = await log.partitions(processor.home);
  const widths = { inbox: await log.partitions("inbox"), ledger: await log.partitions("ledger") };
  if (processor.strays !== null && (await log.partitions(processor.strays)) !== lanes)
    throw new Fatal(`the topics of ${processor.home} and ${processor.strays} must have the same number of partitions`);
  const topics = topicIds.filter((topic) => processor.inputs.includes(topic) || topic === processor.strays);
  const ahead = await backpressure(processor.feeds, world);
  const subscription = await log.subscribe(processor.name, topics, lanes);
  // A member that has joined and never steps would keep its lanes from everyone.
  const orLeave = async (error: unknown): Promise<never> => {
    await subscription[Symbol.asyncDispose]();
    throw error;
  };
  const lore =
    processor.globalTable === undefined
      ? null
      : await readLoreOf(processor.name, processor.globalTable, world).catch(orLeave);
  // Elsewhere the frontier waits for it.
  let isLearning = lore !== null && processor.upstream.length === 0;
  let tenure: Tenure<Row, Event> | null = null;
  let assigned: readonly TopicPartition[] = [];
  let hinted = clock.now();
  let looked = clock.now();

  const hold = async (): Promise<Tenure<Row, Event>> => {
    const now = subscription.assigned();
    if (tenure !== null && now === assigned) return tenure;
    tenure = null;
    assigned = now;
    tenure = await takeOver<Row, Event>(processor, now, lanes, lore?.places ?? [], world, subscription);
    await relay.recover(tenure.streams());
    if (now.length > 0) announce("claimed", { processor: processor.name, lanes: tenure.lanes });
    return tenure;
  };

  const fenced = (): false => {
    announce("fenced", { processor: processor.name });
    tenure = null;
    return false;
  };

  const step = async (): Promise<boolean> => {
    if (!relay.room()) return false; // its loop is retrying; what we would add must wait its turn
    const isLearned = (await lore?.step()) ?? false;
    if (isLearning) isLearning = !(await lore?.isWhole());
    if (isLearning) return isLearned;
    const mine = await hold();
    if (mine.lanes.length === 0) return isLearned;
    if (clock.now() - looked >= LOOK_EVERY) {
      looked = clock.now();
      if (await isFenced(processor.name, mine, world.store)) return fenced();
    }
    const known = lore === null ? await given() : lore.given();
    const did = await turn({ processor, given: known, lore, ahead, world, tenure: mine, subscription, widths, lanes });
    if (did === "fenced") return fenced();
    if (did && clock.now() - hinted >= HINT_EVERY) {
      hinted = clock.now();
      void subscription.commitHint(mine.positions()).catch(() => undefined); // a hint that fails is a hint missed
    }
    return did || isLearned;
  };

  return {
    name: processor.name,
    async step() {
      try {
        return await step();
      } catch (error) {
        const held = tenure;
        tenure = null;
        // Rows of one's own memory beside those that another has written meanwhile: nothing sensible follows from both.
        if (error instanceof Transient || held === null || !(await isFenced(processor.name, held, world.store)))
          throw error;
        return fenced();
      }
    },
    nextDue() {
      if (tenure === null) return null;
      const due = Math.min(
        tenure.nextDue ?? Infinity,
        processor.upstream.length === 0 ? Infinity : tenure.held.first(),
      );
      return due === Infinity ? null : due;
    },
    async arrival(signal) {
      const arriving = subscription.arrival(signal, tenure === null ? undefined : wanted(tenure));
      await (lore === null ? arriving : Promise.race([arriving, lore.arrival(signal)]));
    },
    async [Symbol.asyncDispose]() {
      await lastHint(subscription, tenure);
      await lore?.[Symbol.asyncDispose]();
      await subscription[Symbol.asyncDispose]();
    },
  };
};

/** Whether another has taken one of the lanes: a commit that changes nothing is refused then. */
const isFenced = async (
  processor: string,
  { saved }: Pick<Tenure<unknown, unknown>, "saved">,
  store: Store,
): Promise<boolean> => {
  const commit = { processor, lanes: [...saved.values()], revisit: null, rows: [], outbox: [], jobs: [] };
  return (await store.commit(commit)) === "fenced";
};

/** A hint that fails is a hint missed, and no reason to fail the stop. */
const lastHint = async (
  subscription: Subscription,
  tenure: Pick<Tenure<unknown, unknown>, "positions"> | null,
): Promise<void> => {
  try {
    if (tenure !== null) await subscription.commitHint(tenure.positions());
  } catch (error) {
    if (error instanceof Fatal) throw error;
  }
};
