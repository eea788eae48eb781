import { getHeapStatistics } from "node:v8";

/** Messages between a test and a process that it started. */
export type Order =
  /** Orders the process's wall clock to step by some milliseconds. Its steady clock and its timers go on unchanged. */
  | { readonly type: "step"; readonly by: number }
  /** Orders the process to report its memory and handles. */
  | { readonly type: "weigh" };

/** The memory and handles of a process after a garbage collection. */
export interface Weight {
  /** Bytes of JavaScript objects, and bytes of buffers outside of the heap. */
  readonly heap: number;
  readonly buffers: number;
  /** Handles that keep the process from ending, by kind: sockets, timers, pipes … */
  readonly resources: Readonly<Record<string, number>>;
}

/** Milliseconds that the wall clock is ahead: at first CLOCK, and each order adds to it. */
let ahead = 0;

/** Replaces every clock of the process that an operator could set. */
class SteppedDate extends Date {
  static override now = (): number => super.now() + ahead;
  constructor(...given: readonly unknown[]) {
    // A date made without arguments is the present.
    super(...((given.length === 0 ? [SteppedDate.now()] : given) as [number]));
  }
}

const weigh = (): Weight => {
  for (let time = 0; time < 2; time++) globalThis.gc?.();
  const kinds = Map.groupBy(process.getActiveResourcesInfo(), (kind) => kind);
  return {
    heap: getHeapStatistics().used_heap_size,
    buffers: process.memoryUsage().arrayBuffers,
    resources: Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length])),
  };
};

/** Obeys the orders of the parent process, and ends when the parent does. */
export const obey = (): void => {
  ahead = Number(process.env["CLOCK"] ?? 0);
  globalThis.Date = SteppedDate as DateConstructor;
  process.on("message", (order: Order) => {
    if (order.type === "step") ahead += order.by;
    else process.send?.(weigh());
  });
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref(); // the channel must not keep the process from ending
};
