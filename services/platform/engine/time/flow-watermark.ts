import type { Clock, CommittedProgress, OffsetRange } from "../../contract/ports.ts";
import type { Stage } from "../../contract/processor.ts";
import { type Millis, SECOND } from "../../contract/time.ts";
import { nameOfPartition, partitionsOf } from "../../contract/topic-partition.ts";
import type { TopicId } from "../../contract/topic.ts";
import { relay } from "../output/relay.ts";
import type { World } from "../world.ts";
import { openWatermark } from "./watermark.ts";
import { watermarkProbe } from "./watermark-probe.ts";

/** Asks up to which time every record of the log is folded by all stages of the flow, timers apart; -1: not known. */
export type FlowWatermark = () => Promise<Millis>;

/** Ports that a flow's watermark is asked of. */
type Asked = Pick<World, "log" | "store" | "clock">;

/**
 * The flow's watermark, asked of log and store alone, wherever its stages run. It grows from one question to the next;
 * where no record waits it is the time of the question. Throws Transient.
 * @param to the topic that the last of the stages writes
 */
export const flowWatermark = async (
  stages: readonly Stage[],
  to: TopicId,
  { log, store, clock }: Asked,
): Promise<FlowWatermark> => {
  const partitions = await partitionsOf(log, [to]);
  const watermark = openWatermark(
    partitions,
    partitions.map(() => Infinity), // nothing is read here: only the times that the ends are set with count
    partitions.length,
    [to],
    [],
  );
  const own = { processor: "", lanes: [], isAlone: false, partitions, global: [], progress: () => [] };
  const probe = watermarkProbe(stages, own, watermark, { log, store, relay: relay(log, store) });
  return async () => {
    const now = clock.now();
    await probe.advance(now, now);
    return watermark.time();
  };
};

/**
 * The time up to which every record of a topic is folded by a processor that folds in the order of arrival, and so
 * saves no watermark. Throws Transient.
 */
export const topicWatermark = async (
  processor: string,
  topic: TopicId,
  { log, store, clock }: Asked,
): Promise<FlowWatermark> => {
  const partitions = await partitionsOf(log, [topic]);
  let asked: { readonly ends: readonly OffsetRange[]; readonly at: Millis } | null = null;
  let reached = -1;
  return async () => {
    const at = clock.now();
    asked ??= { ends: await log.offsets(partitions), at };
    const cursors = cursorsOf(await store.progress(processor, topic));
    const isFolded = asked.ends.every(({ low, high }, index) => {
      const partition = partitions[index];
      return low === high || partition === undefined || (cursors.get(nameOfPartition(partition)) ?? 0) >= high;
    });
    if (isFolded) [reached, asked] = [asked.at, null];
    return reached;
  };
};

/** The offset up to which each partition is folded, whichever lane it is of. */
export const cursorsOf = (progress: readonly CommittedProgress[]): ReadonlyMap<string, number> =>
  new Map(progress.flatMap(({ cursors }) => Object.entries(cursors)));

/**
 * Tells whether a watermark has reached a time. It is asked only where that isn't known yet, once for all callers
 * meanwhile, and for each at least once after its call.
 */
export const hasReached = (watermark: FlowWatermark): ((at: Millis) => Promise<boolean>) => {
  let reached = -1;
  let asking: Promise<void> | null = null;
  const ask = (): Promise<void> =>
    (asking ??= watermark()
      .then((at) => void (reached = at))
      .finally(() => (asking = null)));
  return async (at) => {
    if (reached < at) await ask();
    if (reached < at) await ask(); // the first may have been an older question
    return reached >= at;
  };
};

/** The same watermark, asked at most once a second by all callers together. */
export const everySecond = (watermark: FlowWatermark, clock: Clock): FlowWatermark => {
  let asked = -Infinity;
  let answer: Promise<Millis> = Promise.resolve(-1);
  return () => {
    if (clock.now() - asked < SECOND) return answer;
    asked = clock.now();
    answer = answer.catch(() => -1).then(watermark);
    return answer;
  };
};
