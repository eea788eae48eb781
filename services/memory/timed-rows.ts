import type { Millis } from "../core/time.ts";
import { heap } from "./heap.ts";

/** Rows by their keys, each of which may want to be woken at a time. */
export interface TimedRows<Row> {
  get(key: string): Row | undefined;
  /** null deletes. */
  write(key: string, row: Row | null): void;
  /** When the earliest wants to be woken, or may; Infinity where none does. */
  nextDue(): Millis;
  /** Has every row woken that wants to be by then, until none does. Throws where one never stops. */
  wakeAll(at: Millis, wake: (key: string) => void): void;
  /** Asks every row anew: something else than the row says when. */
  askAll(): void;
}

interface Cell<Row> {
  readonly key: string;
  row: Row | null;
  /** When its row wants to be woken; Infinity: not at all. */
  due: Millis;
  /** The earliest time at which the heap has it. */
  queued: Millis;
  /** When it was last woken, and how often at that time. */
  woken: Millis;
  wakes: number;
}

/** Times one row may be woken at one time before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;

/** @param dueOf when a row wants to be woken, if at all */
export const timedRows = <Row>(dueOf: (row: Row) => Millis | null): TimedRows<Row> => {
  const cells = new Map<string, Cell<Row>>();
  const timers = heap<Cell<Row>>();

  const ask = (cell: Cell<Row>): void => {
    cell.due = cell.row === null ? Infinity : (dueOf(cell.row) ?? Infinity);
    // Later than it is queued for: it is put back when that time comes, so that signs of life cost the heap nothing.
    if (cell.due >= cell.queued) return;
    cell.queued = cell.due;
    timers.put(cell.due, cell);
  };

  return {
    get: (key) => cells.get(key)?.row ?? undefined,
    write(key, row) {
      let cell = cells.get(key);
      if (cell === undefined) {
        if (row === null) return;
        cell = { key, row, due: Infinity, queued: Infinity, woken: -Infinity, wakes: 0 };
        cells.set(key, cell);
      }
      cell.row = row;
      if (row === null) cells.delete(key);
      ask(cell);
    },
    nextDue: () => timers.next(),
    wakeAll(at, wake) {
      for (let due = timers.next(); due <= at; due = timers.next()) {
        const cell = timers.take();
        if (cell?.queued !== due) continue; // it has been put at an earlier time since
        cell.queued = Infinity;
        if (cell.due <= at) {
          cell.wakes = cell.woken === at ? cell.wakes + 1 : 1;
          cell.woken = at;
          if (cell.wakes > MAX_WAKES) throw new Error(`the row ${cell.key} keeps asking to be woken at ${cell.due}`);
          wake(cell.key);
        }
        ask(cell);
      }
    },
    askAll() {
      timers.clear();
      for (const cell of cells.values()) {
        cell.queued = Infinity;
        ask(cell);
      }
    },
  };
};
