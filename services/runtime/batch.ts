import type { Effect, Lookup } from "../core/effect.ts";
import { isPoisonous } from "../core/failure.ts";
import type { Lane } from "../core/lane.ts";
import type { RawRecord, RowKey, RowWrite } from "../core/ports.ts";
import type { Keyed, Processor, Step } from "../core/processor.ts";
import type { Stray } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { TopicId } from "../core/topics.ts";
import { rank, type Taken } from "./intake.ts";
import { STREAM_HEADER } from "./relay.ts";

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
 * stays behind what it follows, as if it had happened no earlier. Where several streams of ours come together on a
 * partition, that holds within each: one that lags has nothing to do with how far the others are.
 */
export const inOrder = <Event extends Keyed>(
  slices: readonly { readonly lane: Lane; readonly taken: readonly Taken<Event>[] }[],
): readonly Item<Event>[] => {
  const items: Item<Event>[] = [];
  for (const { lane, taken } of slices) {
    const reached = new Map<string, Millis>();
    for (const record of taken) {
      if (record.kind !== "events") continue;
      const stream = streamOf(record.raw);
      let latest = reached.get(stream) ?? -Infinity;
      for (const event of record.events) {
        latest = Math.max(latest, event.at);
        items.push({ lane, at: latest, rank: rank(record.topic), event, raw: record.raw });
      }
      reached.set(stream, latest);
    }
  }
  return items.toSorted((a, b) => a.at - b.at || a.rank - b.rank);
};

const decoder = new TextDecoder();

/** The stream of ours that a record is of; "" where somebody else put it on the log. */
const streamOf = ({ headers }: RawRecord): string => {
  const stream = headers[STREAM_HEADER];
  return stream === undefined ? "" : decoder.decode(stream);
};

/** What folding a batch came to. */
export interface Folded<Event, Row> {
  readonly writes: readonly (RowWrite & { readonly value: Row | null })[];
  readonly effects: readonly LaneEffect[];
  /** Items that the rule can't take: they changed nothing. */
  readonly poisoned: readonly { readonly item: Item<Event>; readonly error: unknown }[];
  readonly timers: number;
}

/** A fold asked for rows that were not at hand: they are fetched, and the batch, which is pure, is folded anew. */
export interface Lacking {
  readonly lacking: readonly RowKey[];
}

class NotAtHand extends Error {
  readonly keys: readonly string[];
  constructor(keys: readonly string[]) {
    super(keys.join());
    this.keys = keys;
  }
}

/** Times one row may be woken in one batch before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;

/**
 * Folds items in order over `rows` (null: there is none); before each item, its rows' timers that are due by then and
 * by the lane's `time`; at the end, the timers of `due` rows. Pure.
 */
export const foldBatch = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: Given,
  rows: ReadonlyMap<string, Row | null>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
  time: (lane: Lane) => Millis,
): Folded<Event, Row> | Lacking => {
  const changed = new Map<string, { readonly lane: Lane; readonly row: Row | null }>();
  const lacking = new Map<string, RowKey>();
  const effects: LaneEffect[] = [];
  const poisoned: { item: Item<Event>; error: unknown }[] = [];
  let timers = 0;

  const get = (key: string): Row | undefined => {
    const known = changed.get(key)?.row ?? (changed.has(key) ? null : rows.get(key));
    if (known === undefined) throw new NotAtHand([key]);
    return known ?? undefined;
  };
  const expect = (keys: readonly string[]): void => {
    const missing = keys.filter((key) => !changed.has(key) && !rows.has(key));
    if (missing.length > 0) throw new NotAtHand(missing);
  };
  const atHand = { get, expect };
  const settle = (lane: Lane, step: Step<Row>): void => {
    for (const [key, row] of step.writes) changed.set(key, { lane, row });
    for (const effect of step.effects) effects.push({ lane, effect });
  };
  const wake = (lane: Lane, key: string, until: Millis): void => {
    for (let wakes = 0; ; wakes++) {
      const row = get(key);
      const at = row === undefined ? null : processor.wake(row);
      if (at === null || at > until) return;
      if (wakes === MAX_WAKES) throw new Error(`${processor.name}: the row ${key} keeps asking to be woken at ${at}`);
      timers++;
      settle(lane, processor.fold({ type: "due", key, at }, atHand, given));
    }
  };
  const withRows = (lane: Lane, run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof NotAtHand)) throw error;
      for (const key of error.keys) lacking.set(key, { lane, key });
    }
  };
  const fold = (item: Item<Event>): void => {
    // Timers of the same moment come after records.
    const until = Math.min(time(item.lane), item.at - 1);
    for (const key of processor.rows(item.event)) wake(item.lane, key, until);
    try {
      settle(item.lane, processor.fold(item.event, atHand, given));
    } catch (error) {
      if (error instanceof NotAtHand || !isPoisonous(error)) throw error;
      poisoned.push({ item, error });
    }
  };

  for (const item of items) withRows(item.lane, () => fold(item));
  for (const { lane, key } of due)
    withRows(lane, () => {
      wake(lane, key, time(lane));
      // Written though nothing may have fired: what the store thinks is due may be no longer what the rule says.
      if (!changed.has(key)) changed.set(key, { lane, row: get(key) ?? null });
    });
  if (lacking.size > 0) return { lacking: [...lacking.values()] };

  const writes = Array.from(changed, ([key, { lane, row }]) => ({
    lane,
    key,
    value: row,
    due: row === null ? null : processor.wake(row),
  }));
  return { writes, effects, poisoned, timers };
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
