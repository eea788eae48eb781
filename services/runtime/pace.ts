import { flow } from "../core/flow.ts";
import type { Clock, Log, Store } from "../core/ports.ts";
import { type Millis, SECOND } from "../core/time.ts";
import { frontier } from "./frontier.ts";
import { relay } from "./relay.ts";
import { rounds } from "./round.ts";

/** Tells up to when everything that the log had is folded by all stages of the flow, timers apart; -1: nothing is known to be. */
export type Pace = () => Promise<Millis>;

/**
 * The flow's pace, asked of log and store alone: whoever works there may be elsewhere, or nobody may. It grows from one
 * question to the next; one asked while nothing waits comes to the time at which it is asked. Throws Transient.
 */
export const paceOf = async (log: Log, store: Store, clock: Clock): Promise<Pace> => {
  const places = Array.from({ length: await log.partitions("notifications") }, (_none, partition) => ({
    topic: "notifications" as const,
    partition,
  }));
  const reached = frontier(
    places,
    places.map(() => Infinity), // nothing is read here: what matters is the time that the ends are noted with
    places.length,
    ["notifications"],
    [],
  );
  const own = { processor: "", lanes: [], isAlone: false, places, aside: [], progress: () => [] };
  const round = rounds(Object.values(flow), own, reached, { log, store, relay: relay(log, store) });
  return async () => {
    const now = clock.now();
    await round.advance(now, now);
    return reached.time();
  };
};

/** Asked at most once a second, however many want to know. */
export const once = (pace: Pace, clock: Clock): Pace => {
  let asked = -Infinity;
  let answer: Promise<Millis> = Promise.resolve(-1);
  return () => {
    if (clock.now() - asked < SECOND) return answer;
    asked = clock.now();
    answer = answer.catch(() => -1).then(pace);
    return answer;
  };
};
