import type { Hold } from "../../core/ports.ts";
import { derivedTopics } from "../../core/topics.ts";

/** Where the live log stands for a lane that is switched over. */
export interface Standing {
  /** By place of the lane on topics that the services write, where it ends. */
  readonly ends: Readonly<Record<string, number>>;
  /** By queue of the lane on the inbox topic, the last number that its sender has given. */
  readonly given: Readonly<Record<string, number>>;
}

const isOurs = (name: string): boolean => derivedTopics.some((topic) => name.startsWith(`${topic}/`));
const isInbox = (name: string): boolean => name.startsWith("inbox/");

const without = <T>(of: Readonly<Record<string, T>>, drop: (name: string) => boolean): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !drop(name)));

/**
 * A live lane that goes on with the state of the rebuilt one. Of the chat's topics it has folded what the rebuilt one has.
 * Of the services' own topics nothing that is there, or still on its way, is folded again: the rebuilt lane has had all of
 * it under numbers of its own. Strays are numbered by where they were found, the same for both.
 * @param live as it is claimed for the switch: its epoch and sequence stay
 */
export const switched = ({ lane, epoch, sequence }: Hold, rebuilt: Hold, { ends, given }: Standing): Hold => ({
  ...rebuilt,
  lane,
  epoch,
  sequence,
  cursors: { ...without(rebuilt.cursors, isOurs), ...ends },
  examined: { ...without(rebuilt.examined, isOurs), ...ends },
  heard: { ...without(rebuilt.heard, isInbox), ...given },
  within: without(rebuilt.within, isInbox),
});
