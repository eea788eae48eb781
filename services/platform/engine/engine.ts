import { Fatal, Transient } from "../contract/failure.ts";
import type { Store, Subscription } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { TopicPartition } from "../contract/topic-partition.ts";
import type { TopicId } from "../contract/topic.ts";
import { announce } from "../runtime/facts.ts";
import { type Assignment, claimLanes } from "./assignment.ts";
import { type GlobalTableReader, openGlobalTable } from "./intake/global-table.ts";
import { wanted } from "./poll.ts";
import { runStep } from "./step.ts";
import { type Backpressure, backpressure } from "./time/backpressure.ts";
import type { World } from "./world.ts";

/** An engine: runs one processor over the lanes that its group assigns here. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  /**
   * Takes what has arrived and is due, as one transaction; false when there was nothing. After a failure it claims its
   * lanes anew before it goes on, so the failed step is done again or found done. Throws Transient, Fatal.
   */
  step(): Promise<boolean>;
  /** The time of the next timer that no arrival announces. */
  nextDue(): Millis | null;
  /** Resolves when there may be something to do for `step`, timers apart, or the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
}

/** Milliseconds between two commits of the group's offsets, which are a hint. */
const HINT_EVERY = 5_000;
/**
 * Milliseconds between two checks that the lanes are still ours. A commit would find out; but an owner who took them and
 * died may have left records to publish, with nothing more to write here for a long time.
 */
const CHECK_EVERY = 5_000;

/** An engine that has joined its group, with the state that changes from step to step. */
interface Joined<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly given: () => Given | Promise<Given>;
  readonly world: World;
  readonly lanes: number;
  readonly widths: ReadonlyMap<TopicId, number>;
  readonly downstream: Backpressure;
  readonly subscription: Subscription;
  readonly globalTable: GlobalTableReader<Given> | null;
  /** The global table is not read to its end, and records are folded as they arrive: none is before it is. */
  isLoading: boolean;
  assignment: Assignment<Row, Event> | null;
  assigned: readonly TopicPartition[];
  hintedAt: Millis;
  checkedAt: Millis;
}

/**
 * Joins the processor's group.
 * @param given asked at each step for the value that the fold is given, where the processor has no global table
 */
export const startEngine = async <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  world: World,
  ...[given]: Provided<Given>
): Promise<Engine> => {
  const joined = await join(processor, world, given ?? (() => undefined as Given));
  const { subscription, globalTable } = joined;
  return {
    name: processor.name,
    async step() {
      try {
        return await step(joined);
      } catch (error) {
        const held = joined.assignment;
        joined.assignment = null;
        // After a takeover, rows cached here may not fit the rows that the new owner has stored. A failure over such rows
        // is no fault of the rule.
        if (error instanceof Transient || held === null || !(await isFenced(processor.name, held, world.store)))
          throw error;
        return letGo(joined);
      }
    },
    nextDue() {
      const { assignment } = joined;
      if (assignment === null) return null;
      const earliest = processor.order === "arrival" ? Infinity : assignment.reorderBuffer.earliest();
      const due = Math.min(assignment.nextDue ?? Infinity, earliest);
      return due === Infinity ? null : due;
    },
    async arrival(signal) {
      const { assignment } = joined;
      const arriving = subscription.arrival(signal, assignment === null ? undefined : wanted(assignment));
      await (globalTable === null ? arriving : Promise.race([arriving, globalTable.arrival(signal)]));
    },
    async [Symbol.asyncDispose]() {
      await lastHint(joined);
      await globalTable?.[Symbol.asyncDispose]();
      await subscription[Symbol.asyncDispose]();
    },
  };
};

/** The caller's value for folds: left out where the processor takes none, or has a global table for it. */
export type Provided<Given> = [given?: () => Given | Promise<Given>];

const join = async <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  world: World,
  given: () => Given | Promise<Given>,
): Promise<Joined<Row, Event, Given>> => {
  const { log, clock, product } = world;
  const lanes = await log.partitions(processor.home);
  if (processor.strays !== null && (await log.partitions(processor.strays)) !== lanes)
    throw new Fatal(`the topics of ${processor.home} and ${processor.strays} must have the same number of partitions`);
  const multicasts = Object.keys(processor.multicasts ?? {});
  const widths = new Map(
    await Promise.all(multicasts.map(async (topic) => [topic, await log.partitions(topic)] as const)),
  );
  const downstream = await backpressure(processor.feeds, world);
  const topics = Object.keys(product.topics).filter(
    (topic) => processor.inputs.includes(topic) || topic === processor.strays,
  );
  const subscription = await log.subscribe(processor.name, topics, lanes);
  // A member that has joined and never steps would keep its lanes from everyone.
  const leave = async (error: unknown): Promise<never> => {
    await subscription[Symbol.asyncDispose]();
    throw error;
  };
  const { globalTable: table } = processor;
  const globalTable = table === undefined ? null : await openGlobalTable(processor.name, table, world).catch(leave);
  const now = clock.now();
  return {
    processor,
    given,
    world,
    lanes,
    widths,
    downstream,
    subscription,
    globalTable,
    // In log time the watermark waits for the table.
    isLoading: globalTable !== null && processor.order === "arrival",
    assignment: null,
    assigned: [],
    hintedAt: now,
    checkedAt: now,
  };
};

const step = async <Row, Event extends Keyed, Given>(joined: Joined<Row, Event, Given>): Promise<boolean> => {
  const { processor, given, world, lanes, widths, downstream, subscription, globalTable } = joined;
  const { clock, relay, store } = world;
  if (!relay.room()) return false; // the relay is full and retrying: new records must wait their turn
  const isTableChanged = (await globalTable?.step()) ?? false;
  if (joined.isLoading) joined.isLoading = !(await globalTable?.isWhole());
  if (joined.isLoading) return isTableChanged;
  const assignment = await currentAssignment(joined);
  if (assignment.lanes.length === 0) return isTableChanged;
  if (clock.now() - joined.checkedAt >= CHECK_EVERY) {
    joined.checkedAt = clock.now();
    if (await isFenced(processor.name, assignment, store)) return letGo(joined);
  }
  const value = globalTable === null ? await given() : globalTable.value();
  const context = { processor, given: value, globalTable, downstream, world, assignment, subscription, widths, lanes };
  const did = await runStep(context);
  if (did === "fenced") return letGo(joined);
  if (did && clock.now() - joined.hintedAt >= HINT_EVERY) {
    joined.hintedAt = clock.now();
    void subscription.commitHint(assignment.positions()).catch(() => undefined); // a hint that fails is a hint missed
  }
  return did || isTableChanged;
};

/** The lanes assigned now; claimed anew after a rebalance or a failure. */
const currentAssignment = async <Row, Event extends Keyed, Given>(
  joined: Joined<Row, Event, Given>,
): Promise<Assignment<Row, Event>> => {
  const { processor, world, lanes, subscription, globalTable } = joined;
  const now = subscription.assigned();
  if (joined.assignment !== null && now === joined.assigned) return joined.assignment;
  joined.assignment = null;
  joined.assigned = now;
  const global = globalTable?.partitions ?? [];
  const assignment = await claimLanes<Row, Event>(processor, now, lanes, global, world, subscription);
  joined.assignment = assignment;
  await world.relay.recover(assignment.streams());
  if (now.length > 0) announce("claimed", { processor: processor.name, lanes: assignment.lanes });
  return assignment;
};

/** Forgets lanes that another has claimed. */
const letGo = <Row, Event extends Keyed, Given>(joined: Joined<Row, Event, Given>): false => {
  announce("fenced", { processor: joined.processor.name });
  joined.assignment = null;
  return false;
};

/** Tells whether another process has claimed one of the lanes: a commit that changes nothing is refused then. */
const isFenced = async (
  processor: string,
  { saved }: Pick<Assignment<unknown, unknown>, "saved">,
  store: Pick<Store, "commit">,
): Promise<boolean> => {
  const commit = { processor, lanes: [...saved.values()], revisit: null, rows: [], outbox: [], jobs: [] };
  return (await store.commit(commit)) === "fenced";
};

/** Commits the group's offsets a last time. A hint that fails is a hint missed, and no reason to fail the stop. */
const lastHint = async <Row, Event extends Keyed, Given>({
  subscription,
  assignment,
}: Joined<Row, Event, Given>): Promise<void> => {
  try {
    if (assignment !== null) await subscription.commitHint(assignment.positions());
  } catch (error) {
    if (error instanceof Fatal) throw error;
  }
};
