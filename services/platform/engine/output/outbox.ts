import type { Effect, Multicast } from "../../contract/effect.ts";
import type { Lane } from "../../contract/lane.ts";
import type { Codec, NewJob, OutboxEntry } from "../../contract/ports.ts";
import type { Keyed, Processor } from "../../contract/processor.ts";
import { laneStream } from "../../contract/stream.ts";
import { declarationOf, type Product, type TopicId } from "../../contract/topic.ts";
import type { LaneEffect } from "../lane-effect.ts";
import { type Packing, packing } from "./packing.ts";

/** The effects of a commit as it saves them. */
export interface EncodedEffects {
  readonly outbox: readonly OutboxEntry[];
  readonly jobs: readonly NewJob[];
  /** Amounts by which the effects raise the product's counters, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Surroundings of encoding. */
export interface Encoding {
  readonly processor: Pick<Processor<unknown, Keyed, unknown>, "name" | "multicasts" | "counters">;
  readonly codec: Codec;
  readonly product: Product;
  /** Partitions of the topics that multicasts go to. */
  readonly widths: ReadonlyMap<TopicId, number>;
  /** The next sequence number of a lane's stream. */
  readonly next: (lane: Lane) => number;
}

/**
 * Encodes the records of effects, numbered in their lane's stream, and lists the jobs. Multicasts of one lane to one
 * partition become few records, after everything else; they keep their order.
 */
export const encodeEffects = (effects: readonly LaneEffect[], encoding: Encoding): EncodedEffects => {
  const { processor, product } = encoding;
  const outbox: OutboxEntry[] = [];
  const jobs: NewJob[] = [];
  const packings = lanePackings(encoding);
  for (const { lane, effect } of effects)
    switch (effect.type) {
      case "publish": {
        const { topic, key, value } = effect;
        const isKeyed = declarationOf(product, topic).key !== "none";
        outbox.push(entryOf(encoding, lane, topic, null, isKeyed ? key : null, value));
        break;
      }
      case "enqueue": {
        const { queue, id, payload, runAt } = effect;
        jobs.push({ queue, id, payload, runAt });
        break;
      }
      case "forward":
        outbox.push(entryOf(encoding, lane, effect.topic, effect.partition, null, effect.stray));
        break;
      case "multicast":
        packings.add(lane, effect);
        break;
      case "compose":
        throw new Error(`${processor.name}: a Compose has not been composed`);
    }
  for (const { lane, topic, partition, value } of packings.records())
    outbox.push(entryOf(encoding, lane, topic, partition, null, value));
  return { outbox, jobs, counts: countsOf(processor, effects) };
};

const entryOf = (
  { processor, codec, next }: Encoding,
  lane: Lane,
  topic: TopicId,
  partition: number | null,
  key: string | null,
  value: object,
): OutboxEntry => {
  const stream = laneStream(processor.name, lane);
  return { stream, sequence: next(lane), topic, partition, key, value: codec.encode(topic, value) };
};

/** Packings by lane and topic; a lane's in the order in which the processor declares its topics. */
const lanePackings = ({ processor, widths }: Encoding) => {
  const lanes = new Map<Lane, ReadonlyMap<TopicId, Packing>>();
  const packingsOf = (lane: Lane): ReadonlyMap<TopicId, Packing> => {
    const found = lanes.get(lane);
    if (found !== undefined) return found;
    const formats = Object.entries(processor.multicasts ?? {});
    const made = new Map(formats.map(([topic, format]) => [topic, packing(format, widths.get(topic) ?? 1)]));
    lanes.set(lane, made);
    return made;
  };
  return {
    add(lane: Lane, { topic, entry, keys }: Multicast): void {
      const found = packingsOf(lane).get(topic);
      if (found === undefined) throw new Error(`${processor.name} declares no multicast to ${topic}`);
      found.add(entry, keys);
    },
    records: () =>
      [...lanes].flatMap(([lane, topics]) =>
        [...topics].flatMap(([topic, packed]) => packed.records().map((record) => ({ lane, topic, ...record }))),
      ),
  };
};

const countsOf = (
  { counters = {} }: Pick<Processor<unknown, Keyed, unknown>, "counters">,
  effects: readonly LaneEffect[],
): Readonly<Record<string, number>> => {
  const own = effects.flatMap(({ effect }): readonly Effect[] => (effect.type === "forward" ? [] : [effect]));
  return Object.fromEntries(
    Object.entries(counters).map(([name, counter]) => [
      name,
      own.reduce((sum, effect) => sum + counter.amountOf(effect), 0),
    ]),
  );
};

/** Number of records of each topic. */
export const countByTopic = (records: readonly { readonly topic: TopicId }[]): ReadonlyMap<TopicId, number> => {
  const counts = new Map<TopicId, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
};
