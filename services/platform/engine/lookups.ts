import type { Compose, Lookup } from "../contract/effect.ts";
import { isPoisonous } from "../contract/failure.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { inChunksYielding } from "../runtime/chunks.ts";
import { nameOfRow, rowLookup } from "../runtime/row-lookup.ts";
import type { LaneEffect, Stuck } from "./lane-effect.ts";
import type { StepContext } from "./step-context.ts";

/** Effects composed before others in this process have their turn. */
const COMPOSED_AT_ONCE = 1_000;

/** Effects with each Compose replaced by what it came to; and the Composes that the rule can't take. */
export interface Composed {
  readonly effects: readonly LaneEffect[];
  readonly stuck: readonly Stuck[];
}

/**
 * Composes the effects of a batch with the rows that they look up.
 * @param own the processor's own rows, by part, as they are after the fold; others are as the store has them
 */
export const composeEffects = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (part: string) => unknown,
  time: Millis,
): Promise<Composed> => {
  const found = await lookUp(context, effects, own);
  const all: LaneEffect[] = [];
  const stuck: Stuck[] = [];
  for await (const some of inChunksYielding(effects, () => 1, COMPOSED_AT_ONCE)) {
    const composed = composeAll(context.processor, some, found, time);
    for (const effect of composed.effects) all.push(effect);
    for (const one of composed.stuck) stuck.push(one);
  }
  return { effects: all, stuck };
};

/** Puts composed effects in place of each Compose; one that the rule can't take is stuck. */
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

/** Every row that some Compose looks up, once. */
const lookupsOfAll = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  effects: readonly LaneEffect[],
): readonly Lookup[] => {
  const wanted = new Map<string, Lookup>();
  for (const { effect } of effects)
    if (effect.type === "compose")
      for (const lookup of lookupsOf(processor, effect)) wanted.set(nameOfRow(lookup), lookup);
  return [...wanted.values()];
};

const lookupsOf = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  { payload }: Compose,
): readonly Lookup[] => processor.lookups?.(payload) ?? [];

/** Fetches the rows that Composes look up. */
const lookUp = async <Row, Event extends Keyed, Given>(
  { processor, world }: StepContext<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (part: string) => unknown,
): Promise<(lookup: Lookup) => unknown> => {
  const lookups = lookupsOfAll(processor, effects);
  const values = await rowLookup(world.log, world.store)(lookups);
  const found = new Map(
    lookups.map((lookup, index) => {
      const mine = lookup.processor === processor.name ? own(lookup.key) : undefined;
      return [nameOfRow(lookup), mine ?? values[index]];
    }),
  );
  return (lookup) => found.get(nameOfRow(lookup));
};
