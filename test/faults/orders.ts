import { getHeapStatistics } from "node:v8";

/** What a test may have a process of its own do or say. */
export type Order =
  /** Its wall clock steps by so many milliseconds; its steady clock, and timers, go on as ever. */
  | { readonly type: "step"; readonly by: number }
  /** It says what it holds. */
  | { readonly type: "weigh" };

/** What a process holds when what it doesn't need is collected. */
export interface Weight {
  /** Bytes of JavaScript's objects; of buffers, which lie outside of them. */
  readonly heap: number;
  readonly buffers: number;
  /** What would keep it from ending, by kind: sockets, timers, pipes … */
  readonly resources: Readonly<Record<string, number>>;
}

/** The wall clock's first step, in milliseconds, is CLOCK; each order adds to it. */
let ahead = 0;

/** In place of every clock of the process that can be set. */
class SteppedDate extends Date {
  static override now = (): number => super.now() + ahead;
  constructor(...given: readonly unknown[]) {
    // Without arguments, a date is now.
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

/** Obeys orders that come from whoever has started this process, and ends with them. */
export const obey = (): void => {
  ahead = Number(process.env["CLOCK"] ?? 0);
  globalThis.Date = SteppedDate as DateConstructor;
  process.on("message", (order: Order) => {
    if (order.type === "step") ahead += order.by;
    else process.send?.(weigh());
  });
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref(); // who waits for orders can end all the same
};
