import type { Millis } from "../contract/time.ts";
import { priorityQueue } from "../contract/priority-queue.ts";

/** Wakes a row whose timer is set for that time. */
export type Wake = (key: string, at: Millis) => void;

/** Rows by their keys, each with a timer or none. A row that keeps asking for one time makes `wakeAll` and `wakeOne` throw. */
export interface TimedRows<Row> {
  get(key: string): Row | undefined;
  /** Writes a row; null deletes it. @param now the earliest time at which its timer may fire */
  write(key: string, row: Row | null, now: Millis): void;
  /** A time at or before the first timer; Infinity where no timer is set. */
  nextDue(): Millis;
  /** Wakes every row whose timer is before a time, each at its own time, the earliest first. */
  wakeAll(before: Millis, wake: Wake): void;
  /** Wakes one row at each of its timers before a time. */
  wakeOne(key: string, before: Millis, wake: Wake): void;
  /** Takes out the rows whose timers are before a time; the caller calls `wakeOne` for each. */
  due(before: Millis): readonly string[];
  /** Asks every row anew for its timer, after a change of something that timers depend on. */
  askAll(now: Millis): void;
}

interface Cell<Row> {
  readonly key: string;
  row: Row | null;
  /** The time of its timer; Infinity where none is set. */
  due: Millis;
  /** The time under which it is in the queue; Infinity where it is not there. */
  queued: Millis;
  /** The time at which it was last woken, and how often it was at that time. */
  woken: Millis;
  wakes: number;
}

/** Times that a row may be woken at one time before its rule is taken to be wrong. */
const MAX_WAKES = 1_000;

/** Makes an empty collection. @param dueOf the time of a row's timer; null: none */
export const timedRows = <Row>(dueOf: (row: Row) => Millis | null): TimedRows<Row> => {
  const cells = new Map<string, Cell<Row>>();
  const timers = priorityQueue<Cell<Row>>();
  /** The cell that was asked for last: a row that is read is mostly written next. */
  let last: Cell<Row> | undefined;
  const cellOf = (key: string): Cell<Row> | undefined => (last?.key === key ? last : (last = cells.get(key)));

  const ask = (cell: Cell<Row>, now: Millis): void => {
    cell.due = cell.row === null ? Infinity : Math.max(dueOf(cell.row) ?? Infinity, now);
    // A later timer is put back when the queued time comes, so that a timer that is put off again and again costs nothing.
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
  /** Takes the next cell of the queue before a time. Its timer may be set for later by now. */
  const take = (before: Millis): Cell<Row> | null => {
    for (let due = timers.next(); due < before; due = timers.next()) {
      const cell = timers.take();
      if (cell?.queued !== due) continue; // the cell has been queued for an earlier time since
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
