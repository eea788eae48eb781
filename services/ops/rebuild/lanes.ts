import type { TopicId } from "../../platform/contract/topic.ts";
import type { LaneProgress } from "../../platform/contract/ports.ts";
import { derivedTopics } from "../../domain/topics.ts";

/** State of the live log for a lane that is switched over. */
export interface Standing {
  /** Topics that the rebuilt lane reads. */
  readonly read: readonly TopicId[];
  /** End offsets of the lane's partitions of topics that the services write. */
  readonly ends: Readonly<Record<string, number>>;
  /** Last numbers given by the senders of the lane's queues on the inbox topic. */
  readonly given: Readonly<Record<string, number>>;
}

/** Tells if a partition, or a queue, is of one of the topics. */
const isOf =
  (topics: readonly TopicId[]) =>
  (name: string): boolean =>
    topics.some((topic) => name.startsWith(`${topic}/`));

const isOurs = isOf(derivedTopics);
const isInbox = isOf(["inbox"]);

const without = <T>(
  entries: Readonly<Record<string, T>>,
  drop: (name: string) => boolean,
): Readonly<Record<string, T>> => Object.fromEntries(Object.entries(entries).filter(([name]) => !drop(name)));

/**
 * Makes the progress of a live lane that goes on with the rebuilt lane's state. In the chat's topics the rebuilt lane's
 * progress holds. In the services' own topics no record published or under way is folded again, because the rebuilt lane
 * has folded all of them under other numbers. Strays have the numbers of their origin in both. In topics that the rebuilt
 * lane doesn't read, the live lane's progress stays.
 * @param live progress claimed for the switch: its epoch and sequence stay
 */
export const switched = (live: LaneProgress, rebuilt: LaneProgress, { read, ends, given }: Standing): LaneProgress => {
  const isRead = isOf(read);
  const { lane, epoch, sequence } = live;
  return {
    ...rebuilt,
    lane,
    epoch,
    sequence,
    cursors: { ...without(live.cursors, isRead), ...without(rebuilt.cursors, isOurs), ...ends },
    readOffsets: { ...without(live.readOffsets, isRead), ...without(rebuilt.readOffsets, isOurs), ...ends },
    lastSequence: { ...without(live.lastSequence, isRead), ...without(rebuilt.lastSequence, isInbox), ...given },
    partiallyFolded: { ...without(live.partiallyFolded, isRead), ...without(rebuilt.partiallyFolded, isInbox) },
    lastTime: { ...without(live.lastTime, isRead), ...rebuilt.lastTime },
  };
};
