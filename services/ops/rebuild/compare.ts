import { isDeepStrictEqual } from "node:util";
import type { TopicId } from "../../platform/contract/topic.ts";
import type { Database } from "../../platform/contract/database.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { differences } from "./differ.ts";
import type { Recent } from "./recent.ts";
import {
  compareRows,
  isSame,
  type Pair,
  pairName,
  readPairs,
  type Schemas,
  type Stateful,
  type Tally,
} from "./rows.ts";
import type { Telling, Told } from "./told.ts";

/** Reads of a differing row. A row that changes between all of them is reported as moving. */
const LOOKS = 5;

/** Time that the live services have reached. */
export interface LiveProgress {
  readonly at: Millis;
  /** Tells if the live services stopped there before reaching the present. */
  readonly isStill: boolean;
}

/** Dependencies of the comparison. */
export interface Compared {
  readonly database: Database;
  readonly schemas: Schemas;
  readonly processors: readonly Stateful[];
  readonly recent: Recent;
  readonly told: Told;
  /** Resolves when the rebuild has reached the time of the call, and live has reached it or stands still. */
  comeToNow(): Promise<LiveProgress>;
  /** Reads the notifications decided until then. */
  readTold(): Promise<void>;
}

export interface KindCount {
  readonly kind: string;
  /** Number of rows compared. */
  readonly rows: number;
  readonly different: number;
}

export interface Difference {
  readonly kind: string;
  readonly lane: number;
  readonly key: string;
  /** Differing fields: `path: live | rebuilt`. */
  readonly where: readonly string[];
}

export interface Comparison {
  readonly kinds: readonly KindCount[];
  readonly differences: readonly Difference[];
  /** Rows that changed at every read, and so were not compared. */
  readonly moving: number;
  /** Rows that changed after the time at which live stands still. Live has those changes ahead of it. */
  readonly ahead: number;
  readonly told: {
    /** Number of notifications that both decided. */
    readonly both: number;
    readonly live: readonly Telling[];
    readonly rebuilt: readonly Telling[];
    /** Start of the comparison; null: the beginning. It is later where retention has deleted earlier records. */
    readonly from: Millis | null;
    readonly until: Millis;
  };
  readonly live: LiveProgress;
}

export const isEqual = ({ kinds, told }: Comparison): boolean =>
  kinds.every(({ different }) => different === 0) && told.live.length + told.rebuilt.length === 0;

/** Compares the rows of both states, and the notifications. @param cut first times of the chat's topics without their beginning */
export const compare = async (sides: Compared, cut: ReadonlyMap<TopicId, Millis>): Promise<Comparison> => {
  const { isStill } = await sides.comeToNow();
  const isAhead = ({ processor, key }: Pair): boolean => isStill && sides.recent.isWritten(processor, key);
  const { tallies, pairs } = await compareRows(sides.database, sides.schemas, sides.processors, isAhead);
  const settled = await settle(sides, pairs);
  const live = await sides.comeToNow();
  await sides.readTold();
  const times = [...cut.values(), sides.told.since() ?? []].flat();
  const from = times.length === 0 ? null : Math.max(...times);
  const isWithin = (telling: Telling): boolean => telling.at <= live.at && telling.at >= (from ?? 0);
  return {
    kinds: tallies.map((tally) => kindCount(tally, settled.different)),
    differences: settled.different.map(difference),
    moving: settled.moving,
    ahead: settled.ahead + tallies.reduce((sum, { ahead }) => sum + ahead, 0),
    told: {
      both: sides.told.byBoth(),
      live: sides.told.byLive().filter(isWithin),
      rebuilt: sides.told.byRebuilt().filter(isWithin),
      from,
      until: live.at,
    },
    live,
  };
};

/**
 * Reads differing rows again. Both states move on, each at its own speed. A row is settled when both still have it as they
 * had it at the read before, after both have passed the moment of that read. A settled row that differs is a difference.
 */
const settle = async (
  sides: Compared,
  pairs: readonly Pair[],
): Promise<{ readonly different: readonly Pair[]; readonly moving: number; readonly ahead: number }> => {
  const different: Pair[] = [];
  let ahead = 0;
  let open = pairs;
  for (let look = 0; look < LOOKS && open.length > 0; look++) {
    const { isStill } = await sides.comeToNow();
    const before = new Map(open.map((pair) => [pairName(pair), pair]));
    const now = (await readPairs(sides.database, sides.schemas, open)).filter((pair) => !isSame(pair));
    open = now.filter((pair) => {
      if (isStill && sides.recent.isWritten(pair.processor, pair.key)) ahead++;
      else if (isStill || isDeepStrictEqual(pair, before.get(pairName(pair)))) different.push(pair);
      else return true;
      return false;
    });
  }
  return { different, moving: open.length, ahead };
};

/** Rows that were not read one by one count as different, because their texts differ. */
const kindCount = ({ kind, rows, ahead, unlooked }: Tally, found: readonly Pair[]): KindCount => ({
  kind,
  rows: rows - ahead,
  different: found.filter((pair) => pair.kind === kind).length + unlooked,
});

const difference = ({ kind, lane, key, live, rebuilt }: Pair): Difference => {
  if (live === null || rebuilt === null)
    return { kind, lane, key, where: [live === null ? "live has none" : "the rebuilt state has none"] };
  const due = live.due === rebuilt.due ? [] : [`due: ${live.due ?? "-"} | ${rebuilt.due ?? "-"}`];
  return { kind, lane, key, where: [...differences(live.value, rebuilt.value), ...due] };
};
