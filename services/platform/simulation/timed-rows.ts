import type { Millis } from "../contract/time.ts";
import { priorityQueue } from "../contract/priority-queue.ts";

/** Has a row woken that wants to be at that time. */
export type Wake = (key: string, at: Millis) => void;

/** Rows by their keys, each of which may want to be woken at a time. What never stops waking throws. */
export interface TimedRows<Row> {
  get(key: string): Row | undefined;
  /** null deletes. @param now no timer fires before */
  write(key: string, row: Row | null, now: Millis): void;
  /** When the earliest wants to be woken, or may; Infinity where none does. */
  nextDue(): Millis;
  /** Has every row woken that wants to be before that time, each at its own, the earliest first. */
  wakeAll(before: Millis, wake: Wake): void;
  /** The same of one row alone. */
  wakeOne(key: string, before: Millis, wake: Wake): void;
  /** Takes note of those that want to be woken before that time: `wakeOne` is expected for each of them. */
  due(before: Millis): readonly string[];
  /** Asks every row anew: something else than the row says when. */
  askAll(now: Millis): void;
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
  const timers = priorityQueue<Cell<Row>>();
  /** The cell that was asked for last: what is read is written next. */
  let last: Cell<Row> | undefined;
  const cellOf = (key: string): Cell<Row> | undefined => (last?.key === key ? last : (last = cells.get(key)));

  const ask = (cell: Cell<Row>, now: Millis): void => {
    cell.due = cell.row === null ? Infinity : Math.max(dueOf(cell.row) ?? Infinity, now);
    // Later than it is queued for: it is put back when that time comes, so that signs of life cost the heap nothing.
    if (cell.due < cell.queued) queue(cell);
  };
  const queue = (cell: Cell<Row>): void => {
    cell.queued = cell.due;
    timers.put(cell.due, cell);
  };
  const wakeCell = (cell: Cell<Row>, wake: Wake): void => {
    const at = cell.due;
    cell.wakes = cell.woken === at ? cell.wakes + 1 : 1;
    cell.woken = at;
    if (cell.wakes > MAX_WAKES) throw new Error(`the row ${cell.key} keeps asking to be woken at ${at}`);
    wake(cell.key, at);
    ask(cell, at);
  };
  /** The next of the queue before that time; whether it wants to be woken is another question. */
  const take = (before: Millis): Cell<Row> | null => {
    for (let due = timers.next(); due < before; due = timers.next()) {
      const cell = timers.take();
      if (cell?.queued !== due) continue; // it has been put at an earlier time since
      cell.queued = Infinity;
      return cell;
    }
    return null;
  };

  return {
    get: (key) => cellOf(key)?.row ?? undefined,
    write(key, row, now) {
      let cell = cellOf(key);
      if (cell === undefined) {
        if (row === null) return;
        cell = { key, row, due: Infinity, queued: Infinity, woken: -Infinity, wakes: 0 };
        cells.set(key, cell);
      }
      cell.row = row;
      if (row === null) {
        cells.delete(key);
        last = undefined;
      }
      ask(cell, now);
    },
    nextDue: () => timers.next(),
    wakeAll(before, wake) {
      for (let time = timers.next(); time < before; time = timers.next()) {
        const cell = take(before);
        if (cell === null) return;
        if (cell.due > time) {
          if (cell.due < Infinity) queue(cell);
        } else wakeCell(cell, wake);
      }
    },
    wakeOne(key, before, wake) {
      const cell = cellOf(key);
      if (cell === undefined) return;
      while (cell.due < before) wakeCell(cell, wake);
      if (cell.queued === Infinity && cell.due < Infinity) queue(cell);
    },
    due(before) {
      const keys: string[] = [];
      for (let cell = take(before); cell !== null; cell = take(before))
        if (cell.due < before) keys.push(cell.key);
        else if (cell.due < Infinity) queue(cell);
      return keys;
    },
    askAll(now) {
      timers.clear();
      for (const cell of cells.values()) {
        cell.queued = Infinity;
        ask(cell, now);
      }
    },
  };
};
