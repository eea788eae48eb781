import type { Place } from "../core/ports.ts";
import type { Stage } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import type { World } from "./engine.ts";
import type { Horizon } from "./horizon.ts";

/**
 * How the stream's time comes to a moment: what was on the log by then is followed through each stage before this
 * processor, and then into its own places. A round notes ends once and waits for them, so that traffic which goes on
 * meanwhile doesn't put it off; the next round starts when this one is through.
 */
export interface Rounds {
  /** Goes on with the round, or starts one for the moment `now`; asks the log and the store, and waits for nothing. */
  advance(now: Millis): Promise<void>;
}

interface Round {
  readonly at: Millis;
  stage: number;
  /** Ends of the stage's inputs, noted when the stage before was through. */
  ends: ReadonlyMap<string, number> | null;
  /** Outbox sequences by lane, noted when the stage had taken all that: published so far, its records are on the log. */
  sequences: Readonly<Record<number, number>> | null;
  isProbed: boolean;
}

export const rounds = (
  upstream: readonly Stage[],
  places: readonly Place[],
  horizon: Horizon,
  { log, store }: Pick<World, "log" | "store">,
): Rounds => {
  let round: Round | null = null;

  const endsOf = async ({ from }: Stage): Promise<ReadonlyMap<string, number>> => {
    const inputs: Place[] = [];
    for (const topic of from)
      for (let partition = (await log.partitions(topic)) - 1; partition >= 0; partition--)
        inputs.push({ topic, partition });
    const extents = await log.extents(inputs);
    const ends = new Map<string, number>();
    inputs.forEach(({ topic, partition }, index) => {
      const { low, high } = extents[index] ?? { low: 0, high: Infinity };
      if (high > low) ends.set(`${topic}/${partition}`, high);
    });
    return ends;
  };

  /** Whether the round is through its stage. */
  const isThrough = async (at: Round, stage: Stage): Promise<boolean> => {
    at.ends ??= await endsOf(stage);
    const { cursors, sequences, unpublished } = await store.progress(stage.processor, stage.to);
    if (at.sequences === null) {
      for (const [place, end] of at.ends) if ((cursors[place] ?? 0) < end) return false;
      at.sequences = sequences;
    }
    const noted = at.sequences;
    return Object.entries(unpublished).every(([lane, first]) => first > (noted[Number(lane)] ?? 0));
  };

  return {
    async advance(now) {
      if (round?.isProbed && horizon.isReached()) round = null;
      round ??= { at: now, stage: 0, ends: null, sequences: null, isProbed: false };
      for (let stage = upstream[round.stage]; stage !== undefined; stage = upstream[round.stage]) {
        if (!(await isThrough(round, stage))) return;
        round = { at: round.at, stage: round.stage + 1, ends: null, sequences: null, isProbed: false };
      }
      if (round.isProbed) return;
      horizon.probe(round.at, await log.extents(places));
      round.isProbed = true;
    },
  };
};
