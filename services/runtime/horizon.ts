import type { Lane } from "../core/lane.ts";
import type { Extent, Place } from "../core/ports.ts";
import type { Millis } from "../core/time.ts";
import type { TopicId } from "../core/topics.ts";

/** How far each lane's stream has come: the T of the rule (semantics: "Time is the log's"). */
export interface Horizon {
  /** Everything of the place before `next` has been taken; the latest of it was of time `at`. */
  readonly reach: (place: Place, next: number, at: Millis) => void;
  /** At the wall clock's `now` or later the places held this, in the order of `places`. */
  readonly probe: (now: Millis, extents: readonly Extent[]) => void;
  /** Wall-clock time of the last probe if the lane has come to its ends, else the least time all its places have reached. */
  readonly time: (lane: Lane) => Millis;
  /** Whether every lane has come to the ends of the last probe. */
  readonly isReached: () => boolean;
  /** Records known to be on the log and not taken. */
  readonly lag: () => number;
}

interface Reach {
  readonly lane: Lane;
  /** Stages before this one feed it, several at once: the times in it tell nothing of what is still to come. */
  readonly isFed: boolean;
  next: number;
  at: Millis;
  end: number;
}

/**
 * @param start the offset from which each place is read, in the order of `places`
 * @param fed topics that stages before this one feed
 */
export const horizon = (
  places: readonly Place[],
  start: readonly (number | null)[],
  lanes: number,
  fed: readonly TopicId[] = [],
): Horizon => {
  const name = (place: Place): string => `${place.topic}/${place.partition}`;
  const reaches = new Map<string, Reach>(
    places.map((place, index) => [
      name(place),
      {
        lane: place.partition % lanes,
        isFed: fed.includes(place.topic),
        next: start[index] ?? 0,
        at: -Infinity,
        end: Infinity,
      },
    ]),
  );
  const inOrder = [...reaches.values()];
  const times = new Map<Lane, Millis>();
  let probed = -Infinity;

  return {
    reach(place, next, at) {
      const reach = reaches.get(name(place));
      if (reach === undefined) return;
      reach.next = next;
      reach.at = Math.max(reach.at, at);
    },
    probe(now, extents) {
      probed = now;
      inOrder.forEach((reach, index) => {
        reach.end = extents[index]?.high ?? Infinity;
        reach.next = Math.max(reach.next, extents[index]?.low ?? 0);
      });
    },
    time(lane) {
      let least = probed;
      for (const reach of inOrder)
        if (reach.lane === lane && reach.next < reach.end) least = Math.min(least, reach.isFed ? -Infinity : reach.at);
      const time = Math.max(times.get(lane) ?? -Infinity, least);
      times.set(lane, time);
      return time;
    },
    isReached: () => inOrder.every(({ next, end }) => next >= end),
    lag: () => inOrder.reduce((sum, { next, end }) => sum + (end > next && end !== Infinity ? end - next : 0), 0),
  };
};
