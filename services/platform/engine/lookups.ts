import type { Compose, Lookup } from "../contract/effect.ts";
import { isPoisonous } from "../contract/failure.ts";
import { laneOf } from "../contract/lane.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { LaneEffect, Stuck } from "./fold/fold.ts";
import { inChunksYielding } from "../runtime/chunks.ts";
import type { Turn } from "./step.ts";

/** Effects composed before others in this process have their turn. */
const COMPOSED_AT_ONCE = 1_000;

/** Effects in which nothing is left to compose; and what of them can't be, and why. */
export interface Composed {
  readonly effects: readonly LaneEffect[];
  readonly stuck: readonly Stuck[];
}

/**
 * What follows from a batch, once the rows are looked up that its Composes want.
 * @param own the processor's own rows, by part, as they are after the fold; others are as the store has them
 */
export const composeFor = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (part: string) => unknown,
  time: Millis,
): Promise<Composed> => {
  const found = await lookedUp(it, effects, own);
  const all: LaneEffect[] = [];
  const stuck: Stuck[] = [];
  for await (const some of inChunksYielding(effects, () => 1, COMPOSED_AT_ONCE)) {
    const composed = composeAll(it.processor, some, found, time);
    for (const effect of composed.effects) all.push(effect);
    for (const one of composed.stuck) stuck.push(one);
  }
  return { effects: all, stuck };
};

/** Composed effects in place of each Compose, with the rows it looked up; of those that can't be, why not. */
export const composeAll = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  effects: readonly LaneEffect[],
  found: (lookup: Lookup) => unknown,
  time: Millis,
): Composed => {
  const stuck: Stuck[] = [];
  const composed = effects.flatMap(({ lane, effect }): readonly LaneEffect[] => {
    if (effect.type !== "compose") return [{ lane, effect }];
    try {
      return (processor.compose?.(effect.payload, found) ?? []).map((each) => ({ lane, effect: each }));
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      const key = lookupsOf(processor, effect)
        .map((lookup) => lookup.key)
        .join(", ");
      stuck.push({ lane, key, at: time, error });
      return [];
    }
  });
  return { effects: composed, stuck };
};

/** Every row that some Compose wants, once. */
const lookupsOfAll = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  effects: readonly LaneEffect[],
): readonly Lookup[] => {
  const wanted = new Map<string, Lookup>();
  for (const { effect } of effects)
    if (effect.type === "compose")
      for (const lookup of lookupsOf(processor, effect)) wanted.set(lookupName(lookup), lookup);
  return [...wanted.values()];
};

const lookupsOf = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  { payload }: Compose,
): readonly Lookup[] => processor.lookups?.(payload) ?? [];

const lookupName = ({ processor, key }: Lookup): string => `${processor}\n${key}`;

/** The rows that Composes look up. */
const lookedUp = async <Row, Event extends Keyed, Given>(
  { processor, world }: Turn<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (part: string) => unknown,
): Promise<(lookup: Lookup) => unknown> => {
  const found = new Map<string, unknown>();
  for (const [name, lookups] of Map.groupBy(lookupsOfAll(processor, effects), (lookup) => lookup.processor)) {
    const homes = [...new Set(lookups.map(({ home }) => home))];
    const lanes = new Map(
      await Promise.all(homes.map(async (home) => [home, await world.log.partitions(home)] as const)),
    );
    const keys = lookups.map(({ home, id, key }) => ({ lane: laneOf(id, lanes.get(home) ?? 1), key }));
    const values = await world.store.load(name, keys);
    lookups.forEach((lookup, index) => {
      const mine = name === processor.name ? own(lookup.key) : undefined;
      found.set(lookupName(lookup), mine ?? values[index]);
    });
  }
  return (lookup) => found.get(lookupName(lookup));
};
