import type { Lane } from "../../contract/lane.ts";
import type { OffsetRange, TopicPartition, CommittedProgress } from "../../contract/ports.ts";
import type { Stage } from "../../contract/processor.ts";
import { laneStream } from "../../contract/stream.ts";
import type { Millis } from "../../contract/time.ts";
import type { TopicId } from "../../../domain/topics.ts";
import type { World } from "../engine.ts";
import { type Frontier, nameOfPartition, partitionsOf } from "./watermark.ts";

/**
 * How the stream's time comes to a moment: what was on the log by then is followed through each stage before this
 * processor, and then into its own places. A stage that lags gives the time that it has come to itself.
 */
export interface Rounds {
  /**
   * Goes on with the round, and starts one for the moment `now` if the stream hasn't come to `wanted` by it; asks the log
   * and the store, and waits for nothing.
   */
  advance(now: Millis, wanted: Millis): Promise<void>;
}

/** What the engine that waits knows of itself better than the store does. */
export interface Own {
  readonly processor: string;
  readonly lanes: readonly Lane[];
  /** Whether all of the processor's lanes are here. */
  readonly isAlone: boolean;
  /** The places that the lanes read, and those read aside of them. */
  readonly places: readonly TopicPartition[];
  readonly aside: readonly TopicPartition[];
  /** The lanes as of now; what they have to publish is known to the relay. */
  progress(): readonly Omit<CommittedProgress, "unpublished">[];
}

interface Round {
  readonly at: Millis;
  /** Ends of topics, by place; those that a stage feeds are noted when it is through. */
  readonly ends: Map<string, OffsetRange>;
  /** Up to when everything has come to a topic that a stage feeds. */
  readonly fed: Map<TopicId, Millis>;
  stage: number;
  /** What the stage had come to, and its outbox sequences then: those published, its records are on the log. */
  came: { readonly time: Millis; readonly sequences: ReadonlyMap<Lane, number> } | null;
}

export const rounds = (
  upstream: readonly Stage[],
  own: Own,
  frontier: Frontier,
  { log, store, relay }: Pick<World, "log" | "store" | "relay">,
): Rounds => {
  let round: Round | null = null;
  const fedTopics = new Set(upstream.map(({ to }) => to));

  const noteEnds = async (of: Round, topics: Iterable<TopicId>): Promise<void> => {
    const places = await partitionsOf(log, topics);
    const extents = await log.offsets(places);
    places.forEach((place, index) => of.ends.set(nameOfPartition(place), extents[index] ?? { low: 0, high: Infinity }));
  };
  const note = (of: Round, places: readonly TopicPartition[], time: Millis): void => {
    for (const place of places) {
      const extent = of.ends.get(nameOfPartition(place));
      if (extent !== undefined) frontier.note(place, extent, time);
    }
  };

  const begin = async (at: Millis): Promise<Round> => {
    const begun: Round = { at, ends: new Map(), fed: new Map(), stage: 0, came: null };
    const topics = [
      ...upstream.flatMap(({ from }) => from),
      ...[...own.places, ...own.aside].map(({ topic }) => topic),
    ];
    const first = new Set(topics.filter((topic) => !fedTopics.has(topic)));
    await noteEnds(begun, first);
    note(begun, [...own.places.filter(({ topic }) => first.has(topic)), ...own.aside], at);
    return begun;
  };

  const progressOf = async ({ processor, to }: Stage): Promise<readonly CommittedProgress[]> => {
    if (processor !== own.processor) return store.progress(processor, to);
    const here = own
      .progress()
      .map((lane) => ({ ...lane, unpublished: relay.first(laneStream(processor, lane.lane), to) }));
    if (own.isAlone) return here;
    const others = await store.progress(processor, to);
    return [...here, ...others.filter(({ lane }) => !own.lanes.includes(lane))];
  };

  /** The least time that the stage's lanes have come to on the places that it reads. */
  const timeOf = async (
    of: Round,
    { home, from, by }: Stage,
    progress: readonly CommittedProgress[],
  ): Promise<Millis> => {
    const byLane = new Map(progress.map((one) => [one.lane, one]));
    const lanes = await log.partitions(home);
    let least = of.at;
    for (const topic of from) least = Math.min(least, of.fed.get(topic) ?? of.at);
    for (const place of await partitionsOf(log, from)) {
      const { low, high } = of.ends.get(nameOfPartition(place)) ?? { low: 0, high: 0 };
      if (high <= low) continue;
      const its = byLane.get(place.partition % lanes);
      const [offsets, time] =
        by === "examined" ? [its?.readOffsets, its?.readWatermark] : [its?.cursors, its?.watermark];
      if ((offsets?.[nameOfPartition(place)] ?? 0) < high) least = Math.min(least, time ?? -1);
    }
    return least;
  };

  /** Whether the round is through its stage. */
  const isThrough = async (of: Round, stage: Stage): Promise<boolean> => {
    const unknown = stage.from.filter((topic) => !of.ends.has(nameOfPartition({ topic, partition: 0 })));
    if (unknown.length > 0) await noteEnds(of, unknown);
    const progress = await progressOf(stage);
    of.came ??= {
      time: await timeOf(of, stage, progress),
      sequences: new Map(progress.map(({ lane, sequence }) => [lane, sequence])),
    };
    const { sequences } = of.came;
    return progress.every(({ lane, unpublished }) => unpublished === null || unpublished > (sequences.get(lane) ?? 0));
  };

  /** Whether the round has come to its end. */
  const isOver = async (of: Round): Promise<boolean> => {
    for (let stage = upstream[of.stage]; stage !== undefined; stage = upstream[of.stage]) {
      if (!(await isThrough(of, stage))) return false;
      const time = of.came?.time ?? -1;
      of.fed.set(stage.to, time);
      of.came = null;
      of.stage++;
      const places = own.places.filter(({ topic }) => topic === stage.to);
      if (places.length > 0) {
        await noteEnds(of, [stage.to]);
        note(of, places, time);
      }
    }
    return frontier.isRead();
  };

  return {
    async advance(now, wanted) {
      if (round !== null && !(await isOver(round))) return;
      round = null;
      if (frontier.time() >= wanted) return;
      const begun = await begin(now);
      if (!(await isOver(begun))) round = begun;
    },
  };
};
