import type { RowKey, RowWrite } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import type { LaneEffect, Stuck } from "../lane-effect.ts";
import type { PendingEvent } from "../pending-event.ts";

/** The outcome of folding a batch. */
export interface Folded<Event, Row> {
  readonly writes: readonly (RowWrite & { readonly value: Row | null })[];
  readonly effects: readonly LaneEffect[];
  /** Events that the rule can't take: they changed nothing. */
  readonly poisoned: readonly { readonly item: PendingEvent<Event>; readonly error: unknown }[];
  /** Timers that the rule can't take: they changed nothing, and are put off. */
  readonly stuck: readonly Stuck[];
  /** Number of timers that fired. */
  readonly timers: number;
  /** Number of pending events folded, the first of the batch; not all of them where the batch has ended early. */
  readonly items: number;
  /** Time up to which everything is folded. */
  readonly time: Millis;
  /** Number of events folded, one for each key. */
  readonly events: number;
}

/** Rows that a fold asked for and that were not fetched: the batch, which is pure, is folded anew with them. */
export interface MissingRows {
  readonly missing: readonly RowKey[];
}

/** By key, the events and the times of timers that are not folded for it because its rule failed over them, and the errors. */
export type Refused<Event> = Map<string, Map<PendingEvent<Event> | Millis, unknown>>;

/** An empty outcome. */
export const nothingFolded = <Event, Row>(): Folded<Event, Row> => ({
  writes: [],
  effects: [],
  poisoned: [],
  stuck: [],
  timers: 0,
  items: 0,
  time: -1,
  events: 0,
});
