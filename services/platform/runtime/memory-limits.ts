import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Bytes of the heap that bounds are meant for: the most that V8 takes by default. */
const AMPLE = 4 * 1024 * 1024 * 1024;

/** Scales a bound on things in memory down to the heap that there may be (--max-old-space-size, a container). */
export const scaledToHeap = (bound: number): number =>
  Math.max(1, Math.floor(bound * Math.min(1, getHeapStatistics().heap_size_limit / AMPLE)));

/** Share of the largest heap that may be alive after a collection; the rest is for short-lived objects. */
const ALIVE = 0.5;

/** An entry of type gc (Node: PerformanceNodeEntry). */
type Collection = PerformanceEntry & { readonly detail?: { readonly kind: number } };
const MAJOR = constants.NODE_PERFORMANCE_GC_MAJOR;

let times = 0;
let observer: PerformanceObserver | null = null;

/** Counts the full collections, since the first call, after which more than half of the largest heap was alive. */
export const heapPressureCount = (): number => {
  if (observer === null) {
    observer = new PerformanceObserver((list) => {
      const isMarked = (list.getEntries() as readonly Collection[]).some(({ detail }) => detail?.kind === MAJOR);
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      if (isMarked && used > ALIVE * limit) times++;
    });
    observer.observe({ entryTypes: ["gc"] });
  }
  return times;
};

/**
 * Makes V8 count buffers as part of the heap. By default it marks the whole heap for every 64 MiB of new buffers. With
 * hundreds of MiB of state, the buffers of kafkajs and pg would then cost more than all other work.
 */
export const weighBuffersWithHeap = (): void => setFlagsFromString("--external-memory-accounted-in-global-limit");
