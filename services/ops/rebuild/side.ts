import { conversations } from "../../conversations/rule.ts";
import type { Lane } from "../../core/lane.ts";
import type { Clock, Log, Place, Store } from "../../core/ports.ts";
import { type TopicId, topicIds } from "../../core/topics.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { placeName } from "../../runtime/frontier.ts";
import { type Pace, paceOf } from "../../runtime/pace.ts";

/** One of the two that are compared, the live services' or the rebuild's: the log as it sees it, and its state. */
export interface Side {
  readonly log: Log;
  readonly store: Store;
  /** The services': what they have come to is held against it. */
  readonly clock: Clock;
}

/** The processors whose state is folded anew. */
export const processors = [conversations, inboxes] as const;

/** All that a processor reads as it goes, but for its lore. */
export const inputsOf = ({ inputs, strays }: (typeof processors)[number]): readonly TopicId[] =>
  strays === null ? inputs : [...inputs, strays];

/** Numbers from 0 up. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_none, index) => index);

export const placesOf = async (log: Pick<Log, "partitions">, topics: readonly TopicId[]): Promise<readonly Place[]> => {
  const counts = await Promise.all(topics.map(async (topic) => [topic, await log.partitions(topic)] as const));
  return counts.flatMap(([topic, count]) => range(count).map((partition) => ({ topic, partition })));
};

/** A side's pace, its timers included: those of both processors have fired, too. */
export const paceOfSide = async ({ log, store, clock }: Side): Promise<Pace> => {
  const pace = await paceOf(log, store, clock);
  const lanes = new Map<string, readonly Lane[]>();
  for (const { name, home } of processors) lanes.set(name, range(await log.partitions(home)));

  return async () => {
    const reached = await pace();
    const progress = await Promise.all(processors.map(({ name }) => store.progress(name, "notifications")));
    const times = progress.flat().map(({ time }) => time);
    const isWhole = times.length >= [...lanes.values()].flat().length;
    const saved = isWhole ? Math.min(...times) : -1;
    const due = await Promise.all(processors.map(({ name }) => store.nextDue(name, lanes.get(name) ?? [])));
    return Math.max(saved, Math.min(reached, ...due.map((at) => (at ?? Infinity) - 1)));
  };
};

/** Records: how many a side has folded, of how many there are. */
export interface Count {
  readonly done: number;
  readonly total: number;
}

/** How much a side has folded of what is on its log. @param of these topics alone */
export const countOf = async (
  { log, store }: Pick<Side, "log" | "store">,
  of: readonly TopicId[] = topicIds,
): Promise<Count> => {
  let [done, total] = [0, 0];
  for (const processor of processors) {
    const places = await placesOf(
      log,
      inputsOf(processor).filter((topic) => of.includes(topic)),
    );
    const [extents, progress] = await Promise.all([
      log.extents(places),
      store.progress(processor.name, "notifications"),
    ]);
    const cursors = new Map(progress.flatMap((lane) => Object.entries(lane.cursors)));
    places.forEach((place, index) => {
      const { low, high } = extents[index] ?? { low: 0, high: 0 };
      total += high - low;
      done += Math.max(0, Math.min(cursors.get(placeName(place)) ?? 0, high) - low);
    });
  }
  return { done, total };
};

/** What changes as long as somebody works on a side. */
export const marksOf = async ({ store }: Side): Promise<string> =>
  JSON.stringify(await Promise.all(processors.map(({ name }) => store.progress(name, "notifications"))));
