import type { TopicId } from "../../platform/contract/topic.ts";
import type { LaneProgress } from "../../platform/contract/ports.ts";
import { derivedTopics } from "../../domain/topics.ts";

/** Where the live log stands for a lane that is switched over. */
export interface Standing {
  /** Topics that the rebuilt lane reads. */
  readonly read: readonly TopicId[];
  /** By place of the lane on topics that the services write, where it ends. */
  readonly ends: Readonly<Record<string, number>>;
  /** By queue of the lane on the inbox topic, the last number that its sender has given. */
  readonly given: Readonly<Record<string, number>>;
}

/** Whether a place, or a queue, is of one of the topics. */
const isOf =
  (topics: readonly TopicId[]) =>
  (name: string): boolean =>
    topics.some((topic) => name.startsWith(`${topic}/`));

const isOurs = isOf(derivedTopics);
const isInbox = isOf(["inbox"]);

const without = <T>(of: Readonly<Record<string, T>>, drop: (name: string) => boolean): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !drop(name)));

/**
 * A live lane that goes on with the state of the rebuilt one. Of the chat's topics it has folded what the rebuilt one has.
 * Of the services' own topics nothing that is there, or still on its way, is folded again: the rebuilt lane has had all of
 * it under numbers of its own. Strays are numbered by where they were found, the same for both. Of topics that the rebuilt
 * lane doesn't read, the live one's place stays.
 * @param live as it is claimed for the switch: its epoch and sequence stay
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
