import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Bytes of the heap that bounds are meant for: what V8 takes by itself, at most, where memory is plenty. */
const AMPLE = 4 * 1024 * 1024 * 1024;

/** So much of something in memory, or less where the heap may not become so large (--max-old-space-size, a container). */
export const scaledToHeap = (bound: number): number =>
  Math.max(1, Math.floor(bound * Math.min(1, getHeapStatistics().heap_size_limit / AMPLE)));

/** Of the heap that there may be, so much may be alive: the rest is for what comes and goes. */
const ALIVE = 0.5;

/** An entry of type gc (Node: PerformanceNodeEntry). */
type Collection = PerformanceEntry & { readonly detail?: { readonly kind: number } };
const MAJOR = constants.NODE_PERFORMANCE_GC_MAJOR;

let times = 0;
let observer: PerformanceObserver | null = null;

/** How often, since this was first asked, the heap was found tight when V8 had looked through all of it. */
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
 * Has V8 weigh buffers with the heap. By itself it marks the whole heap for every 64 MiB of buffers that have come since it
 * did last: with hundreds of MiB of state in memory, what kafkajs and pg encode into cost more than all else that is done.
 */
export const weighBuffersWithHeap = (): void => setFlagsFromString("--external-memory-accounted-in-global-limit");
