import { flow } from "../../domain/flow.ts";
import type { TopicId } from "../../platform/contract/topic.ts";
import { nameOfPartition, partitionsOf } from "../../platform/contract/topic-partition.ts";
import { conversations } from "../../conversations/rule.ts";
import type { Lane } from "../../platform/contract/lane.ts";
import type { Clock, Log, Store } from "../../platform/contract/ports.ts";
import { topicIds } from "../../domain/topics.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { mailer } from "../../mailer/rule.ts";
import {
  cursorsOf,
  type FlowWatermark,
  flowWatermark,
  topicWatermark,
} from "../../platform/engine/time/flow-watermark.ts";
import type { Stateful } from "./rows.ts";

/** One side of the comparison, the live services or the rebuild: its view of the log, and its state. */
export interface Side {
  readonly log: Log;
  readonly store: Store;
  /** The services' clock, with which their watermarks are compared. */
  readonly clock: Clock;
  /** Processors whose state is compared. */
  readonly processors: readonly Folding[];
}

/** The mailer with the input of its state alone, people's preferences. It writes no mails for notifications again. */
export const choices = { ...mailer, inputs: ["preferences"], home: "preferences" } as const satisfies typeof mailer;

export type Folding = typeof conversations | typeof inboxes | typeof choices;

/** Lists the processors whose state is folded anew; the mailer only if one has ever run. */
export const foldingsOf = async (live: Pick<Store, "progress">): Promise<readonly Folding[]> => {
  const isMailing = (await live.progress(choices.name, "notifications")).length > 0;
  return [conversations, inboxes, ...(isMailing ? [choices] : [])];
};

/** Names of the processors, which name the tables of state. */
export const namesOf = (processors: readonly Folding[]): readonly Stateful[] =>
  processors.map(({ name }) => name as Stateful);

/** Topics that a processor reads, without its global tables. */
export const inputsOf = ({ inputs, strays }: Folding): readonly TopicId[] =>
  strays === null ? inputs : [...inputs, strays];

/** Lists the numbers from 0 to `count - 1`. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_none, index) => index);

/** Watermark of a side, with its timers and people's preferences included. */
export const watermarkOfSide = async (side: Side): Promise<FlowWatermark> => {
  const { log, store, clock, processors } = side;
  const notificationsWatermark = await flowWatermark(Object.values(flow), "notifications", { log, store, clock });
  const choicesWatermark = processors.includes(choices)
    ? await topicWatermark(choices.name, "preferences", side)
    : () => Promise.resolve(Infinity);
  const timed = processors.filter((one) => one !== choices);
  const lanes = new Map<string, readonly Lane[]>();
  for (const { name, home } of timed) lanes.set(name, range(await log.partitions(home)));

  return async () => {
    const reached = await notificationsWatermark();
    const progress = await Promise.all(timed.map(({ name }) => store.progress(name, "notifications")));
    const times = progress.flat().map(({ watermark: time }) => time);
    const isWhole = times.length >= [...lanes.values()].flat().length;
    const saved = isWhole ? Math.min(...times) : -1;
    const due = await Promise.all(timed.map(({ name }) => store.nextDue(name, lanes.get(name) ?? [])));
    const decided = Math.max(saved, Math.min(reached, ...due.map((at) => (at ?? Infinity) - 1)));
    return Math.min(decided, await choicesWatermark());
  };
};

/** Number of records that a side has folded, and of all records. */
export interface Count {
  readonly done: number;
  readonly total: number;
}

/** Counts the records of a side's log, and those folded. @param counted topics to count */
export const countOf = async (
  { log, store, processors }: Omit<Side, "clock">,
  counted: readonly TopicId[] = topicIds,
): Promise<Count> => {
  let [done, total] = [0, 0];
  for (const processor of processors) {
    const partitions = await partitionsOf(
      log,
      inputsOf(processor).filter((topic) => counted.includes(topic)),
    );
    const [offsets, progress] = await Promise.all([
      log.offsets(partitions),
      store.progress(processor.name, "notifications"),
    ]);
    const cursors = cursorsOf(progress);
    partitions.forEach((partition, index) => {
      const { low, high } = offsets[index] ?? { low: 0, high: 0 };
      total += high - low;
      done += Math.max(0, Math.min(cursors.get(nameOfPartition(partition)) ?? 0, high) - low);
    });
  }
  return { done, total };
};

/** Returns a text that changes while a process works on the side. */
export const marksOf = async ({ store, processors }: Side): Promise<string> =>
  JSON.stringify(await Promise.all(processors.map(({ name }) => store.progress(name, "notifications"))));
