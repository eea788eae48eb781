import type { Effect } from "../../contract/effect.ts";
import { isPoisonous, Poison } from "../../contract/failure.ts";
import type { Lane } from "../../contract/lane.ts";
import type { RowKey, RowWrite } from "../../contract/ports.ts";
import { countOf, type Due, eachOf, type Keyed, type Processor, type Step } from "../../contract/processor.ts";
import type { Stray } from "../../../domain/records.ts";
import { HOUR, type Millis } from "../../contract/time.ts";
import type { TopicId } from "../../../domain/topics.ts";
import { alarms } from "./timer-queue.ts";
import { consequences } from "./effect-list.ts";
import type { Item } from "../intake/reorder-buffer.ts";
import { NotAtHand, overlay } from "./row-overlay.ts";

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

/** A timer, or a Compose of the lane, that the rule can't take. */
export interface Stuck {
  readonly lane: Lane;
  readonly key: string;
  readonly at: Millis;
  readonly error: unknown;
}

/** What folding a batch came to. */
export interface Folded<Event, Row> {
  readonly writes: readonly (RowWrite & { readonly value: Row | null })[];
  readonly effects: readonly LaneEffect[];
  /** Items that the rule can't take: they changed nothing. */
  readonly poisoned: readonly { readonly item: Item<Event>; readonly error: unknown }[];
  /** Timers that the rule can't take: they changed nothing, and are put off. */
  readonly stuck: readonly Stuck[];
  readonly timers: number;
  /** How many of the items are folded, and up to which time everything is; not all where the batch has ended early. */
  readonly items: number;
  readonly time: Millis;
  /** How many events that was, of each key one. */
  readonly events: number;
}

/** A fold asked for rows that were not at hand: they are fetched, and the batch, which is pure, is folded anew. */
export interface Lacking {
  readonly lacking: readonly RowKey[];
}

/** What a batch is made of, beside its items. */
export interface Batch<Event> {
  /** Rows whose timers are due. */
  readonly due: readonly RowKey[];
  /** Items and timers that turned out to be more than the rule can take, for which keys, and why: they are not folded. */
  readonly refused: Refused<Event>;
  /** The batch ends when so many timers have fired: much may follow from each. */
  readonly maxTimers: number;
  /** It ends, too, when so much follows from it: effects, and of a fan-out its recipients. */
  readonly maxFollowing: number;
}

/** By key, what is refused for it: items, and times of timers. */
export type Refused<Event> = Map<string, Map<Item<Event> | Millis, unknown>>;

/** A fold failed where rows are changed in place: the rows of the batch are no good any more. */
export class Spoiled<Event> extends Error {
  readonly key: string;
  readonly by: Item<Event> | Millis;
  constructor(key: string, by: Item<Event> | Millis, cause: unknown) {
    super("a fold failed", { cause });
    this.key = key;
    this.by = by;
  }
}

/** Times in a row that a row may be woken at one time before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;
/** A timer that the rule can't take is tried again so long after the stream's time. */
const PUT_OFF: Millis = HOUR;

/** A batch that is being folded. Both throw Spoiled. */
export interface Folding<Event, Row> {
  /** Folds items that follow those before. False where the batch has ended, before one of them perhaps. */
  fold(items: readonly Item<Event>[]): boolean;
  /** There are no more. */
  end(): Folded<Event, Row> | Lacking;
}

/**
 * Folds items in order over `rows` (null: there is none), and between them the timers, those of `due` rows and of rows
 * written here, in the order of their times and keys: before each item those of times before it, and after the last all
 * until the stream's `time`. Pure, but for rows that are changed in place.
 */
export const folding = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: Given,
  rows: ReadonlyMap<string, Row | null>,
  { due, refused, maxTimers, maxFollowing }: Batch<Event>,
  time: Millis,
): Folding<Event, Row> => {
  const changed = overlay(rows);
  const following = consequences();
  const lacking = new Map<string, RowKey>();
  const poisoned: { item: Item<Event>; error: unknown }[] = [];
  const stuck: Stuck[] = [];
  const waiting = alarms();
  const wakes = new Map<string, { readonly at: Millis; readonly times: number }>();
  let timers = 0;
  let folded = 0;
  let events = 0;
  /** The time of the last item folded, and the timer that fired last. */
  let reached = -Infinity;
  let woken: { readonly key: string; readonly at: Millis } | null = null;
  let endsAt: Millis | null = null;

  const putOff = (lane: Lane, key: string, error: unknown): void => {
    stuck.push({ lane, key, at: time, error });
    changed.set(lane, key, changed.get(key) ?? null, time + PUT_OFF);
  };
  const write = (lane: Lane, key: string, row: Row | null): void => {
    try {
      const at = row === null ? null : processor.wake(row, given);
      changed.set(lane, key, row, at);
      if (at !== null && at <= time) waiting.set(lane, key, at);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      changed.set(lane, key, row, null);
      putOff(lane, key, error);
    }
  };
  const settle = (lane: Lane, step: Step<Row>): void => {
    for (const [key, row] of step.writes) write(lane, key, row);
    for (const effect of step.effects) following.add(lane, effect);
  };
  /** Folds what is said to one key. "lacking": not without rows that are noted; `error`: the rule can't take it. */
  const attempt = (
    lane: Lane,
    event: Event | Due,
    by: Item<Event> | Millis,
  ): "folded" | "lacking" | { readonly error: unknown } => {
    const { key } = event;
    const its = refused.get(key);
    if (its?.has(by) === true) return { error: its.get(by) };
    try {
      settle(lane, processor.fold(event, changed, given));
      return "folded";
    } catch (error) {
      if (error instanceof NotAtHand) {
        for (const lacks of error.keys) lacking.set(lacks, { lane, key: lacks });
        return "lacking";
      }
      if (!isPoisonous(error)) throw error;
      if (processor.parts !== undefined) throw new Spoiled(key, by, error);
      return { error };
    }
  };
  const wake = (lane: Lane, key: string, at: Millis): void => {
    timers++;
    const last = wakes.get(key);
    const times = last?.at === at ? last.times + 1 : 1;
    wakes.set(key, { at, times });
    if (times > MAX_WAKES) {
      putOff(lane, key, new Poison(`${processor.name}: the row keeps asking to be woken at ${at}`));
      return;
    }
    following.begin();
    const done = attempt(lane, { type: "due", key, at }, at);
    if (done === "lacking") return;
    if (done !== "folded") putOff(lane, key, done.error);
    // A fold that left its row as it is leaves its timer as it is, too.
    else if (changed.due(key) === at) waiting.set(lane, key, at);
  };
  /** All items up to here are folded, and none of a later time: what has not fired yet is still set, for the next batch. */
  const endEarly = (): void => {
    endsAt = Math.max(reached, woken?.at ?? -Infinity);
  };
  /** Whether all have fired. */
  const fire = (before: Millis): boolean => {
    for (let next = waiting.next(before); next !== null; next = waiting.next(before)) {
      const { lane, key, at } = next;
      if (changed.due(key) !== at) continue;
      const isAgain = woken?.key === key && woken.at === at;
      if (timers >= maxTimers && !isAgain && reached < before) {
        endEarly();
        return false;
      }
      wake(lane, key, (woken = next).at);
    }
    return true;
  };

  // Written though nothing may fire: what the store thinks is due may be no longer what the rule says.
  for (const { lane, key } of due) write(lane, key, changed.get(key) ?? null);
  return {
    fold(items) {
      for (const item of items) {
        if (endsAt !== null) return false;
        const { loggedAt } = item.event;
        if (!fire(loggedAt)) return false; // timers of the same moment come after records
        if (following.count() >= maxFollowing && reached < loggedAt) {
          endEarly();
          return false;
        }
        folded++;
        events += countOf(item.event);
        reached = loggedAt;
        following.begin();
        for (const event of eachOf(item.event)) {
          const done = attempt(item.lane, event, item);
          if (typeof done === "object") poisoned.push({ item, error: done.error });
        }
      }
      return true;
    },
    end() {
      if (endsAt === null) fire(Infinity);
      if (lacking.size > 0) return { lacking: [...lacking.values()] };
      const [writes, effects] = [changed.writes(), following.effects()];
      return { writes, effects, poisoned, stuck, timers, items: folded, time: endsAt ?? time, events };
    },
  };
};
