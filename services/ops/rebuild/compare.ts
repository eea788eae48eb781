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

/** Looks at rows that differ, before one that changes between all of them is said to keep moving. */
const LOOKS = 5;

/** How far the live services have come. */
export interface LivePace {
  readonly at: Millis;
  /** Whether they have stood still there, short of the end. */
  readonly isStill: boolean;
}

/** What the comparison asks of the two. */
export interface Compared {
  readonly database: Database;
  readonly schemas: Schemas;
  readonly processors: readonly Stateful[];
  readonly recent: Recent;
  readonly told: Told;
  /** Resolves when the rebuild has come to the time of the call, and live has, or stands still. */
  comeToNow(): Promise<LivePace>;
  /** Reads who was told by then. */
  readTold(): Promise<void>;
}

export interface KindCount {
  readonly kind: string;
  /** Compared. */
  readonly rows: number;
  readonly different: number;
}

export interface Difference {
  readonly kind: string;
  readonly lane: number;
  readonly key: string;
  /** What differs, `path: live | rebuilt`. */
  readonly where: readonly string[];
}

export interface Comparison {
  readonly kinds: readonly KindCount[];
  readonly differences: readonly Difference[];
  /** Rows that changed at each look, so that nothing can be said of them. */
  readonly moving: number;
  /** Rows that have changed since live stands still: live will have that yet. */
  readonly ahead: number;
  readonly told: {
    /** By both. */
    readonly both: number;
    readonly live: readonly Telling[];
    readonly rebuilt: readonly Telling[];
    /** Compared from here, where the logs are kept no longer, to here. */
    readonly from: Millis | null;
    readonly until: Millis;
  };
  readonly live: LivePace;
}

export const isEqual = ({ kinds, told }: Comparison): boolean =>
  kinds.every(({ different }) => different === 0) && told.live.length + told.rebuilt.length === 0;

/** Compares the rows of both states, and who was told. @param cut the chat's topics whose beginning isn't kept, and from when they are */
export const compare = async (it: Compared, cut: ReadonlyMap<TopicId, Millis>): Promise<Comparison> => {
  const { isStill } = await it.comeToNow();
  const isAhead = ({ processor, key }: Pair): boolean => isStill && it.recent.isWritten(processor, key);
  const { tallies, pairs } = await compareRows(it.database, it.schemas, it.processors, isAhead);
  const settled = await settle(it, pairs);
  const live = await it.comeToNow();
  await it.readTold();
  const times = [...cut.values(), it.told.since() ?? []].flat();
  const from = times.length === 0 ? null : Math.max(...times);
  const isWithin = (telling: Telling): boolean => telling.at <= live.at && telling.at >= (from ?? 0);
  return {
    kinds: tallies.map((tally) => kindCount(tally, settled.different)),
    differences: settled.different.map(difference),
    moving: settled.moving,
    ahead: settled.ahead + tallies.reduce((sum, { ahead }) => sum + ahead, 0),
    told: {
      both: it.told.byBoth(),
      live: it.told.byLive().filter(isWithin),
      rebuilt: it.told.byRebuilt().filter(isWithin),
      from,
      until: live.at,
    },
    live,
  };
};

/**
 * Both states move on, each at its own pace. A row that both have as they had it, after both have come past the moment of
 * the look before, was that of that moment: what differs then is a difference.
 */
const settle = async (
  it: Compared,
  pairs: readonly Pair[],
): Promise<{ readonly different: readonly Pair[]; readonly moving: number; readonly ahead: number }> => {
  const different: Pair[] = [];
  let ahead = 0;
  let open = pairs;
  for (let look = 0; look < LOOKS && open.length > 0; look++) {
    const { isStill } = await it.comeToNow();
    const before = new Map(open.map((pair) => [pairName(pair), pair]));
    const now = (await readPairs(it.database, it.schemas, open)).filter((pair) => !isSame(pair));
    open = now.filter((pair) => {
      if (isStill && it.recent.isWritten(pair.processor, pair.key)) ahead++;
      else if (isStill || isDeepStrictEqual(pair, before.get(pairName(pair)))) different.push(pair);
      else return true;
      return false;
    });
  }
  return { different, moving: open.length, ahead };
};

/** What was not looked at counts as different: its text is. */
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
