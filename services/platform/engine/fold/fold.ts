import { isPoisonous, Poison } from "../../contract/failure.ts";
import type { Lane } from "../../contract/lane.ts";
import type { RowKey } from "../../contract/ports.ts";
import { countOf, type Due, eachOf, type Keyed, type Processor, type Step } from "../../contract/processor.ts";
import { HOUR, type Millis } from "../../contract/time.ts";
import type { Stuck } from "../lane-effect.ts";
import type { PendingEvent } from "../pending-event.ts";
import { type EffectList, effectList } from "./effect-list.ts";
import type { Folded, MissingRows, Refused } from "./folded.ts";
import { type RowOverlay, rowOverlay, RowsMissing } from "./row-overlay.ts";
import { type TimerQueue, timerQueue } from "./timer-queue.ts";

/** A batch, beside its events. */
export interface Batch<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly given: Given;
  /** Rows as they were read; null: there is none. */
  readonly rows: ReadonlyMap<string, Row | null>;
  /** Rows whose timers are due. */
  readonly due: readonly RowKey[];
  readonly refused: Refused<Event>;
  /** The batch ends when so many timers have fired: much may follow from each. */
  readonly maxTimers: number;
  /** The batch ends when its effects have this size (`EffectList.size`). */
  readonly maxEffects: number;
  /** The watermark: every timer up to it fires, none after it. */
  readonly time: Millis;
}

/** A fold failed where rows are changed in place: none of the batch's rows may be used any more. */
export class DirtyRows<Event> extends Error {
  readonly key: string;
  readonly by: PendingEvent<Event> | Millis;
  constructor(key: string, by: PendingEvent<Event> | Millis, cause: unknown) {
    super("a fold failed", { cause });
    this.key = key;
    this.by = by;
  }
}

/** Times in a row that a row may be woken at one time before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;
/** A timer that the rule can't take is tried again so long after the watermark. */
const PUT_OFF: Millis = HOUR;

/** A batch that is being folded. Both operations throw DirtyRows. */
export interface BatchFold<Event, Row> {
  /** Folds events that follow those before. False where the batch has ended, perhaps before one of them. */
  fold(items: readonly PendingEvent<Event>[]): boolean;
  /** Fires the timers that are left, and returns the outcome. */
  end(): Folded<Event, Row> | MissingRows;
}

/** The state of a batch that is being folded. */
interface Folding<Row, Event extends Keyed, Given> extends Batch<Row, Event, Given> {
  readonly overlay: RowOverlay<Row>;
  readonly effects: EffectList;
  readonly queue: TimerQueue;
  readonly missing: Map<string, RowKey>;
  readonly poisoned: { item: PendingEvent<Event>; error: unknown }[];
  readonly stuck: Stuck[];
  /** By key, the time at which the row was last woken, and how often at that time. */
  readonly wakes: Map<string, { readonly at: Millis; readonly times: number }>;
  timers: number;
  items: number;
  events: number;
  /** The time of the last event folded. */
  lastTime: Millis;
  /** The timer that fired last. */
  lastTimer: { readonly key: string; readonly at: Millis } | null;
  /** The time at which the batch has ended early; null where it has not. */
  endsAt: Millis | null;
}

/**
 * Folds events in order over rows, and between them the timers of `due` rows and of rows written here, in the order of
 * their times and keys: before each event the timers of earlier times, after the last event all timers up to `time`.
 * Pure, but for rows that are changed in place.
 */
export const startFold = <Row, Event extends Keyed, Given>(batch: Batch<Row, Event, Given>): BatchFold<Event, Row> => {
  const state: Folding<Row, Event, Given> = {
    ...batch,
    overlay: rowOverlay(batch.rows),
    effects: effectList(batch.processor.multicasts),
    queue: timerQueue(),
    missing: new Map(),
    poisoned: [],
    stuck: [],
    wakes: new Map(),
    timers: 0,
    items: 0,
    events: 0,
    lastTime: -Infinity,
    lastTimer: null,
    endsAt: null,
  };
  // Written though nothing may fire: the due time in the store may be another than the rule now says.
  for (const { lane, key } of batch.due) write(state, lane, key, state.overlay.get(key) ?? null);
  return {
    fold: (items) => items.every((item) => foldItem(state, item)),
    end() {
      if (state.endsAt === null) fireTimers(state, Infinity);
      if (state.missing.size > 0) return { missing: [...state.missing.values()] };
      const { overlay, effects, poisoned, stuck, timers, items, events, endsAt, time } = state;
      const writes = overlay.writes();
      return { writes, effects: effects.effects(), poisoned, stuck, timers, items, time: endsAt ?? time, events };
    },
  };
};

/** Folds one event for each of its keys, after the timers before it. False where the batch has ended before it. */
const foldItem = <Row, Event extends Keyed, Given>(
  state: Folding<Row, Event, Given>,
  item: PendingEvent<Event>,
): boolean => {
  if (state.endsAt !== null) return false;
  const { loggedAt } = item.event;
  if (!fireTimers(state, loggedAt)) return false; // timers of the same moment come after records
  if (state.effects.size() >= state.maxEffects && state.lastTime < loggedAt) {
    endEarly(state);
    return false;
  }
  state.items++;
  state.events += countOf(item.event);
  state.lastTime = loggedAt;
  state.effects.startEvent();
  for (const event of eachOf(item.event)) {
    const outcome = attempt(state, item.lane, event, item);
    if (typeof outcome === "object") state.poisoned.push({ item, error: outcome.error });
  }
  return true;
};

/** Fires the timers before a time, in order. False where the batch ends before they have all fired. */
const fireTimers = <Row, Event extends Keyed, Given>(state: Folding<Row, Event, Given>, before: Millis): boolean => {
  const { queue, overlay } = state;
  for (let next = queue.next(before); next !== null; next = queue.next(before)) {
    const { lane, key, at } = next;
    if (overlay.due(key) !== at) continue;
    const isAgain = state.lastTimer?.key === key && state.lastTimer.at === at;
    if (state.timers >= state.maxTimers && !isAgain && state.lastTime < before) {
      endEarly(state);
      return false;
    }
    state.lastTimer = next;
    wake(state, lane, key, at);
  }
  return true;
};

/** Ends the batch where every event up to now is folded and none of a later time. Timers not fired stay set. */
const endEarly = <Row, Event extends Keyed, Given>(state: Folding<Row, Event, Given>): void => {
  state.endsAt = Math.max(state.lastTime, state.lastTimer?.at ?? -Infinity);
};

const wake = <Row, Event extends Keyed, Given>(
  state: Folding<Row, Event, Given>,
  lane: Lane,
  key: string,
  at: Millis,
): void => {
  state.timers++;
  const last = state.wakes.get(key);
  const times = last?.at === at ? last.times + 1 : 1;
  state.wakes.set(key, { at, times });
  if (times > MAX_WAKES) {
    const error = new Poison(`${state.processor.name}: the row keeps asking to be woken at ${at}`);
    putOff(state, lane, key, error);
    return;
  }
  state.effects.startEvent();
  const outcome = attempt(state, lane, { type: "due", key, at }, at);
  if (outcome === "missing rows") return;
  if (outcome !== "folded") putOff(state, lane, key, outcome.error);
  // A fold that left its row as it is leaves its timer as it is, too.
  else if (state.overlay.due(key) === at) state.queue.set(lane, key, at);
};

/** Folds an event of one key. `error`: the rule can't take it, and it changed nothing. */
const attempt = <Row, Event extends Keyed, Given>(
  state: Folding<Row, Event, Given>,
  lane: Lane,
  event: Event | Due,
  by: PendingEvent<Event> | Millis,
): "folded" | "missing rows" | { readonly error: unknown } => {
  const { processor, overlay, given, refused } = state;
  const { key } = event;
  const refusedOfKey = refused.get(key);
  if (refusedOfKey?.has(by) === true) return { error: refusedOfKey.get(by) };
  try {
    applyStep(state, lane, processor.fold(event, overlay, given));
    return "folded";
  } catch (error) {
    if (error instanceof RowsMissing) {
      for (const missing of error.keys) state.missing.set(missing, { lane, key: missing });
      return "missing rows";
    }
    if (!isPoisonous(error)) throw error;
    if (processor.parts !== undefined) throw new DirtyRows(key, by, error);
    return { error };
  }
};

const applyStep = <Row, Event extends Keyed, Given>(
  state: Folding<Row, Event, Given>,
  lane: Lane,
  step: Step<Row>,
): void => {
  for (const [key, row] of step.writes) write(state, lane, key, row);
  for (const effect of step.effects) state.effects.add(lane, effect);
};

/** Writes a row, and sets the timer that it asks for. */
const write = <Row, Event extends Keyed, Given>(
  state: Folding<Row, Event, Given>,
  lane: Lane,
  key: string,
  row: Row | null,
): void => {
  const { processor, given, overlay, queue, time } = state;
  try {
    const at = row === null ? null : processor.wake(row, given);
    overlay.set(lane, key, row, at);
    if (at !== null && at <= time) queue.set(lane, key, at);
  } catch (error) {
    if (!isPoisonous(error)) throw error;
    overlay.set(lane, key, row, null);
    putOff(state, lane, key, error);
  }
};

/** Notes a timer that the rule can't take, and sets it again for later. */
const putOff = <Row, Event extends Keyed, Given>(
  { overlay, stuck, time }: Folding<Row, Event, Given>,
  lane: Lane,
  key: string,
  error: unknown,
): void => {
  stuck.push({ lane, key, at: time, error });
  overlay.set(lane, key, overlay.get(key) ?? null, time + PUT_OFF);
};
