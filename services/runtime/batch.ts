import type { Effect, Lookup } from "../core/effect.ts";
import { Poison } from "../core/failure.ts";
import type { Lane } from "../core/lane.ts";
import type { RawRecord, RowKey, RowWrite } from "../core/ports.ts";
import type { Keyed, Processor, Step } from "../core/processor.ts";
import type { Stray } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { TopicId } from "../core/topics.ts";
import { rank, type Taken } from "./intake.ts";

/** Something to fold, with its lane and where it stands in the order of time. */
export interface Item<Event> {
  readonly lane: Lane;
  readonly at: Millis;
  readonly rank: number;
  readonly event: Event;
  /** The record that said so. */
  readonly raw: RawRecord;
}

/** What the intake itself leads to: a stray on its way to the lane of its key. */
export interface Forward {
  readonly type: "forward";
  readonly topic: TopicId;
  readonly partition: number;
  readonly stray: Stray;
}

/** An effect, and the lane of what it follows from. */
export interface LaneEffect {
  readonly lane: Lane;
  readonly effect: Effect | Forward;
}

/**
 * In the order of their times, those of equal time in the order of their topics; but what follows on a partition
 * stays behind what it follows, as if it had happened no earlier.
 */
export const inOrder = <Event extends Keyed>(
  slices: readonly { readonly lane: Lane; readonly taken: readonly Taken<Event>[] }[],
): readonly Item<Event>[] => {
  const items: Item<Event>[] = [];
  for (const { lane, taken } of slices) {
    let latest = -Infinity;
    for (const record of taken) {
      if (record.kind !== "events") continue;
      latest = Math.max(latest, record.at);
      const at = latest;
      for (const event of record.events) items.push({ lane, at, rank: rank(record.topic), event, raw: record.raw });
    }
  }
  return items.toSorted((a, b) => a.at - b.at || a.rank - b.rank);
};

/** What folding a batch came to. */
export interface Folded {
  readonly writes: readonly RowWrite[];
  readonly effects: readonly LaneEffect[];
  readonly timers: number;
}

/** Times one row may be woken in one batch before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;

/**
 * Folds items in order over `rows` (changed in place); before each item, its rows' timers that are due by then and by
 * the lane's `time`; at the end, the timers of `due` rows. Pure but for `rows`.
 */
export const foldBatch = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: Given,
  rows: Map<string, Row>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
  time: (lane: Lane) => Millis,
  onPoison: (item: Item<Event>, error: Poison) => void,
): Folded => {
  const dirty = new Map<string, Lane>();
  const effects: LaneEffect[] = [];
  let timers = 0;

  const settle = (lane: Lane, step: Step<Row>): void => {
    for (const [key, row] of step.writes) {
      if (row === null) rows.delete(key);
      else rows.set(key, row);
      dirty.set(key, lane);
    }
    for (const effect of step.effects) effects.push({ lane, effect });
  };

  const wake = (lane: Lane, key: string, until: Millis): void => {
    for (let wakes = 0; ; wakes++) {
      const row = rows.get(key);
      const at = row === undefined ? null : processor.wake(row);
      if (at === null || at > until) return;
      if (wakes === MAX_WAKES) throw new Error(`${processor.name}: the row ${key} keeps asking to be woken at ${at}`);
      timers++;
      settle(lane, processor.fold({ type: "due", key, at }, rows, given));
    }
  };

  for (const item of items) {
    const { lane, event } = item;
    // Timers of the same moment come after records.
    const until = Math.min(time(lane), item.at - 1);
    for (const key of processor.rows(event)) wake(lane, key, until);
    try {
      settle(lane, processor.fold(event, rows, given));
    } catch (error) {
      if (!(error instanceof Poison)) throw error;
      onPoison(item, error);
    }
  }
  for (const { lane, key } of due) wake(lane, key, time(lane));

  const writes = Array.from(dirty, ([key, lane]) => {
    const row = rows.get(key);
    return { lane, key, value: row ?? null, due: row === undefined ? null : processor.wake(row) };
  });
  return { writes, effects, timers };
};

/** Composed effects in place of each Compose, with the rows it looked up. */
export const composeAll = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  effects: readonly LaneEffect[],
  found: (lookup: Lookup) => unknown,
): readonly LaneEffect[] =>
  effects.flatMap(({ lane, effect }): readonly LaneEffect[] =>
    effect.type === "compose"
      ? (processor.compose?.(effect.payload, found) ?? []).map((composed) => ({ lane, effect: composed }))
      : [{ lane, effect }],
  );

/** Every row that some Compose wants, once. */
export const lookupsOf = (effects: readonly LaneEffect[]): readonly Lookup[] => {
  const wanted = new Map<string, Lookup>();
  for (const { effect } of effects)
    if (effect.type === "compose") for (const lookup of effect.lookups) wanted.set(lookupName(lookup), lookup);
  return [...wanted.values()];
};

export const lookupName = ({ processor, key }: Lookup): string => `${processor}\n${key}`;
