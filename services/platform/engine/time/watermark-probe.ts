import type { Lane } from "../../contract/lane.ts";
import type { CommittedProgress, OffsetRange } from "../../contract/ports.ts";
import type { Stage } from "../../contract/processor.ts";
import { laneStream } from "../../contract/stream.ts";
import type { Millis } from "../../contract/time.ts";
import { nameOfPartition, partitionsOf, type TopicPartition } from "../../contract/topic-partition.ts";
import type { TopicId } from "../../contract/topic.ts";
import type { World } from "../world.ts";
import type { Watermark } from "./watermark.ts";

/**
 * Brings the watermark to a moment. The records on the log by then are followed through each stage upstream, and then
 * into the processor's own partitions. A stage that lags gives the time that it has reached itself.
 */
export interface WatermarkProbe {
  /**
   * Continues the probe under way; starts one for the moment `now` where the watermark is before `wanted` and none is
   * under way. Asks the log and the store, and waits for nothing.
   */
  advance(now: Millis, wanted: Millis): Promise<void>;
}

/** An engine's own progress, which it knows better than the store does. */
export interface OwnProgress {
  readonly processor: string;
  readonly lanes: readonly Lane[];
  /** True: all of the processor's lanes are here. */
  readonly isAlone: boolean;
  readonly partitions: readonly TopicPartition[];
  /** Partitions of its global table. */
  readonly global: readonly TopicPartition[];
  /** The lanes as of now; the relay knows their unpublished records. */
  progress(): readonly Omit<CommittedProgress, "unpublished">[];
}

/** One probe. */
interface Probe {
  readonly at: Millis;
  /** Ends of partitions, by name. Partitions that a stage writes are added when the probe is through that stage. */
  readonly ends: Map<string, OffsetRange>;
  /** Times up to which every record has come to a topic that a stage writes. */
  readonly reached: Map<TopicId, Millis>;
  stage: number;
  /** The time that the stage had reached, and its outbox sequences then. Once those are published, so are its records. */
  stageResult: { readonly time: Millis; readonly sequences: ReadonlyMap<Lane, number> } | null;
}

/** A probe's surroundings. */
interface Probing {
  readonly upstream: readonly Stage[];
  readonly own: OwnProgress;
  readonly watermark: Watermark;
  readonly world: Pick<World, "log" | "store" | "relay">;
}

export const watermarkProbe = (
  upstream: readonly Stage[],
  own: OwnProgress,
  watermark: Watermark,
  world: Pick<World, "log" | "store" | "relay">,
): WatermarkProbe => {
  const probing: Probing = { upstream, own, watermark, world };
  let probe: Probe | null = null;
  return {
    async advance(now, wanted) {
      if (probe !== null && !(await isOver(probing, probe))) return;
      probe = null;
      if (watermark.time() >= wanted) return;
      const started = await start(probing, now);
      if (!(await isOver(probing, started))) probe = started;
    },
  };
};

/** Asks for the ends of all partitions of the topics. */
const askEnds = async ({ world: { log } }: Probing, probe: Probe, topics: Iterable<TopicId>): Promise<void> => {
  const partitions = await partitionsOf(log, topics);
  const offsets = await log.offsets(partitions);
  partitions.forEach((partition, index) =>
    probe.ends.set(nameOfPartition(partition), offsets[index] ?? { low: 0, high: Infinity }),
  );
};

const setEnds = ({ watermark }: Probing, probe: Probe, partitions: readonly TopicPartition[], time: Millis): void => {
  for (const partition of partitions) {
    const end = probe.ends.get(nameOfPartition(partition));
    if (end !== undefined) watermark.setEnd(partition, end, time);
  }
};

/** Starts a probe: the ends of the topics that no stage writes are asked for. */
const start = async (probing: Probing, at: Millis): Promise<Probe> => {
  const { upstream, own } = probing;
  const probe: Probe = { at, ends: new Map(), reached: new Map(), stage: 0, stageResult: null };
  const fed = new Set(upstream.map(({ to }) => to));
  const topics = [
    ...upstream.flatMap(({ from }) => from),
    ...[...own.partitions, ...own.global].map(({ topic }) => topic),
  ];
  const first = new Set(topics.filter((topic) => !fed.has(topic)));
  await askEnds(probing, probe, first);
  setEnds(probing, probe, [...own.partitions.filter(({ topic }) => first.has(topic)), ...own.global], at);
  return probe;
};

/** Continues the probe. True: it has gone through all stages, and this processor has read to the ends that it found. */
const isOver = async (probing: Probing, probe: Probe): Promise<boolean> => {
  const { upstream, own, watermark } = probing;
  for (let stage = upstream[probe.stage]; stage !== undefined; stage = upstream[probe.stage]) {
    const { to } = stage;
    if (!(await isThrough(probing, probe, stage))) return false;
    const time = probe.stageResult?.time ?? -1;
    probe.reached.set(to, time);
    probe.stageResult = null;
    probe.stage++;
    const partitions = own.partitions.filter(({ topic }) => topic === to);
    if (partitions.length > 0) {
      await askEnds(probing, probe, [to]);
      setEnds(probing, probe, partitions, time);
    }
  }
  return watermark.isRead();
};

/** Tells whether every record is published that the stage owes for the records before the probe. */
const isThrough = async (probing: Probing, probe: Probe, stage: Stage): Promise<boolean> => {
  const unknown = stage.from.filter((topic) => !probe.ends.has(nameOfPartition({ topic, partition: 0 })));
  if (unknown.length > 0) await askEnds(probing, probe, unknown);
  const progress = await progressOf(probing, stage);
  probe.stageResult ??= {
    time: await timeOf(probing, probe, stage, progress),
    sequences: new Map(progress.map(({ lane, sequence }) => [lane, sequence])),
  };
  const { sequences } = probe.stageResult;
  return progress.every(({ lane, unpublished }) => unpublished === null || unpublished > (sequences.get(lane) ?? 0));
};

const progressOf = async (
  { own, world: { store, relay } }: Probing,
  { processor, to }: Stage,
): Promise<readonly CommittedProgress[]> => {
  if (processor !== own.processor) return store.progress(processor, to);
  const here = own
    .progress()
    .map((lane) => ({ ...lane, unpublished: relay.first(laneStream(processor, lane.lane), to) }));
  if (own.isAlone) return here;
  const others = await store.progress(processor, to);
  return [...here, ...others.filter(({ lane }) => !own.lanes.includes(lane))];
};

/** The least time that the stage's lanes have reached on the partitions that it reads. */
const timeOf = async (
  { world: { log } }: Probing,
  probe: Probe,
  { home, from, by }: Stage,
  progress: readonly CommittedProgress[],
): Promise<Millis> => {
  const byLane = new Map(progress.map((lane) => [lane.lane, lane]));
  const lanes = await log.partitions(home);
  let least = probe.at;
  for (const topic of from) least = Math.min(least, probe.reached.get(topic) ?? probe.at);
  for (const partition of await partitionsOf(log, from)) {
    const { low, high } = probe.ends.get(nameOfPartition(partition)) ?? { low: 0, high: 0 };
    if (high <= low) continue;
    const lane = byLane.get(partition.partition % lanes);
    const [offsets, time] = by === "read" ? [lane?.readOffsets, lane?.readWatermark] : [lane?.cursors, lane?.watermark];
    if ((offsets?.[nameOfPartition(partition)] ?? 0) < high) least = Math.min(least, time ?? -1);
  }
  return least;
};
