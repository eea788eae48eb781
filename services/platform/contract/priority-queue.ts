import type { Millis } from "./time.ts";

/** Items in the order of their times; items of one time in the order given, else in that of putting. */
export interface PriorityQueue<T> {
  /** Time of the earliest; Infinity where the queue is empty. */
  next(): Millis;
  put(at: Millis, item: T): void;
  /** Takes the earliest; undefined where the queue is empty. */
  take(): T | undefined;
  clear(): void;
}

/**
 * A binary heap; parallel arrays, so that putting allocates nothing.
 * @param compare order of items of one time; by default none comes before another
 */
export const priorityQueue = <T>(compare: (a: T, b: T) => number = () => 0): PriorityQueue<T> => {
  const times: Millis[] = [];
  const orders: number[] = [];
  const items: T[] = [];
  let order = 0;

  /** Tells whether an item stands before the one at `index`. */
  const isBefore = (at: Millis, own: number, item: T, index: number): boolean => {
    const other = times[index] ?? Infinity;
    if (at !== other) return at < other;
    const compared = compare(item, items[index] as T);
    return compared === 0 ? own < (orders[index] ?? 0) : compared < 0;
  };
  /** Puts an item into the hole at `from`, or above it where it comes before its parents. */
  const rise = (from: number, at: Millis, own: number, item: T): void => {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isBefore(at, own, item, parent)) break;
      move(parent, hole);
      hole = parent;
    }
    set(hole, at, own, item);
  };
  /** Puts an item into the hole at the top, or below it where its children come before it. */
  const sink = (at: Millis, own: number, item: T): void => {
    const { length } = times;
    let hole = 0;
    for (let child = 1; child < length; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < length && isBefore(times[right] ?? 0, orders[right] ?? 0, items[right] as T, child)) child++;
      if (isBefore(at, own, item, child)) break;
      move(child, hole);
      hole = child;
    }
    set(hole, at, own, item);
  };
  const move = (from: number, to: number): void => {
    set(to, times[from] ?? 0, orders[from] ?? 0, items[from] as T);
  };
  const set = (index: number, at: Millis, own: number, item: T): void => {
    times[index] = at;
    orders[index] = own;
    items[index] = item;
  };

  return {
    next: () => times[0] ?? Infinity,
    put(at, item) {
      rise(times.length, at, order++, item);
    },
    take() {
      const first = items[0];
      const at = times.pop();
      const own = orders.pop();
      const last = items.pop();
      if (at !== undefined && own !== undefined && times.length > 0) sink(at, own, last as T);
      return first;
    },
    clear() {
      times.length = orders.length = items.length = 0;
    },
  };
};
