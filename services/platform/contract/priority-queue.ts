import type { Millis } from "./time.ts";

/** Things by their times: the earliest first, those of one time in the order in which they were put. */
export interface Heap<T> {
  /** Time of the earliest; Infinity where there is nothing. */
  next(): Millis;
  put(at: Millis, item: T): void;
  /** Takes the earliest; undefined where there is nothing. */
  take(): T | undefined;
  clear(): void;
}

/** A binary heap; parallel arrays, so that nothing is allocated for what is put. */
export const priorityQueue = <T>(): Heap<T> => {
  const times: Millis[] = [];
  const orders: number[] = [];
  const items: T[] = [];
  let order = 0;

  /** Puts what stands at the hole where it belongs above it. */
  const rise = (from: number, at: Millis, own: number, item: T): void => {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = times[parent] ?? -Infinity;
      if (above < at || (above === at && (orders[parent] ?? 0) < own)) break;
      move(parent, hole);
      hole = parent;
    }
    set(hole, at, own, item);
  };
  const sink = (at: Millis, own: number, item: T): void => {
    const { length } = times;
    let hole = 0;
    for (let child = 1; child < length; child = 2 * hole + 1) {
      if (child + 1 < length && isBefore(child + 1, child)) child++;
      const below = times[child] ?? Infinity;
      if (at < below || (at === below && own < (orders[child] ?? 0))) break;
      move(child, hole);
      hole = child;
    }
    set(hole, at, own, item);
  };
  const isBefore = (a: number, b: number): boolean => {
    const [left, right] = [times[a] ?? 0, times[b] ?? 0];
    return left < right || (left === right && (orders[a] ?? 0) < (orders[b] ?? 0));
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
