import { flow } from "../../../domain/flow.ts";
import type { Clock, OffsetRange, Log, CommittedProgress, Store } from "../../contract/ports.ts";
import { type Millis, SECOND } from "../../contract/time.ts";
import type { TopicId } from "../../../domain/topics.ts";
import type { World } from "../engine.ts";
import { frontier, nameOfPartition, partitionsOf } from "./watermark.ts";
import { relay } from "../output/relay.ts";
import { rounds } from "./watermark-probe.ts";

/** Tells up to when everything that the log had is folded by all stages of the flow, timers apart; -1: nothing is known to be. */
export type FlowWatermark = () => Promise<Millis>;

/**
 * The flow's pace, asked of log and store alone: whoever works there may be elsewhere, or nobody may. It grows from one
 * question to the next; one asked while nothing waits comes to the time at which it is asked. Throws Transient.
 */
export const flowWatermark = async (log: Log, store: Store, clock: Clock): Promise<FlowWatermark> => {
  const places = await partitionsOf(log, ["notifications"]);
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

/**
 * Up to when all that the log had of a topic is folded by a processor that folds records as they come, and so saves no
 * time that would tell. Throws Transient.
 */
export const topicWatermark = async (
  processor: string,
  topic: TopicId,
  { log, store, clock }: Pick<World, "log" | "store" | "clock">,
): Promise<FlowWatermark> => {
  const places = await partitionsOf(log, [topic]);
  let noted: { readonly ends: readonly OffsetRange[]; readonly at: Millis } | null = null;
  let come = -1;
  return async () => {
    const at = clock.now();
    noted ??= { ends: await log.offsets(places), at };
    const cursors = cursorsOf(await store.progress(processor, "notifications"));
    const isFolded = noted.ends.every(({ low, high }, index) => {
      const place = places[index];
      return low === high || place === undefined || (cursors.get(nameOfPartition(place)) ?? 0) >= high;
    });
    if (isFolded) [come, noted] = [noted.at, null];
    return come;
  };
};

/** How far each place is folded, whichever lane it is of. */
export const cursorsOf = (progress: readonly CommittedProgress[]): ReadonlyMap<string, number> =>
  new Map(progress.flatMap(({ cursors }) => Object.entries(cursors)));

/**
 * Whether the pace has come to a time: asked only where that isn't known yet, once for all who want to know meanwhile,
 * and for each at least once since its own question.
 */
export const hasReached = (pace: FlowWatermark): ((at: Millis) => Promise<boolean>) => {
  let come = -1;
  let asking: Promise<void> | null = null;
  const ask = (): Promise<void> =>
    (asking ??= pace()
      .then((at) => void (come = at))
      .finally(() => (asking = null)));
  return async (at) => {
    if (come < at) await ask();
    if (come < at) await ask(); // the first may have been an older one
    return come >= at;
  };
};

/** Asked at most once a second, however many want to know. */
export const everySecond = (pace: FlowWatermark, clock: Clock): FlowWatermark => {
  let asked = -Infinity;
  let answer: Promise<Millis> = Promise.resolve(-1);
  return () => {
    if (clock.now() - asked < SECOND) return answer;
    asked = clock.now();
    answer = answer.catch(() => -1).then(pace);
    return answer;
  };
};
