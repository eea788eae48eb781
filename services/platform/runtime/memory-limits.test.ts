import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** Counts the markings of the whole heap, which holds about 100 MiB, while a GiB of buffers comes and goes. */
const markings = (before: string): number => {
  const program = `
    import { constants, PerformanceObserver } from "node:perf_hooks";
    import { setImmediate } from "node:timers/promises";
    ${before}
    const state = Array.from({ length: 500_000 }, (_none, index) => ({ index, more: [index] }));
    let times = 0;
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) times++;
    }).observe({ entryTypes: ["gc"] });
    for (let sent = 0; sent < 1024; sent++) {
      Buffer.alloc(1024 * 1024);
      await setImmediate();
    }
    await setImmediate();
    console.log(state.length && times);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" }));
};

test("short-lived buffers do not make V8 mark the whole heap", () => {
  const weighing = `
    import { weighBuffersWithHeap } from ${JSON.stringify(new URL("memory-limits.ts", import.meta.url).href)};
    weighBuffersWithHeap();`;
  expect(markings(weighing)).toBeLessThan(markings("") / 2);
});

test("bounds shrink with the largest heap, and are kept where the heap is ample", () => {
  const bounds = (heap: number): unknown => {
    const program = `
      import { scaledToHeap } from ${JSON.stringify(new URL("memory-limits.ts", import.meta.url).href)};
      console.log(JSON.stringify([scaledToHeap(100_000), scaledToHeap(1)]));`;
    const options = [`--max-old-space-size=${heap}`, "--input-type=module", "--eval", program];
    return JSON.parse(execFileSync(process.execPath, options, { encoding: "utf8" }));
  };
  expect(bounds(6 * 1024)).toEqual([100_000, 1]);
  const [some, one] = bounds(512) as [number, number];
  expect(some).toBeGreaterThan(10_000);
  expect(some).toBeLessThan(20_000);
  expect(one).toBe(1);
});

/** Milliseconds within which Node must report a collection, however busy the machine is. */
const PATIENCE = 30_000;

test("the heap is under pressure when more than half of it is alive after a collection", () => {
  const pressure = (mebibytes: number): number => {
    const program = `
      import { constants, PerformanceObserver } from "node:perf_hooks";
      import { setImmediate, setTimeout } from "node:timers/promises";
      import { heapPressureCount } from ${JSON.stringify(new URL("memory-limits.ts", import.meta.url).href)};
      heapPressureCount(); // its observer is told before the next one
      const alive = [];
      for (let mebibyte = 0; mebibyte < 256; mebibyte++) {
        const some = Array.from({ length: 1024 }, () => new Array(128).fill(mebibyte));
        if (mebibyte < ${mebibytes}) alive.push(some);
        await setImmediate();
      }
      let isReported = false;
      new PerformanceObserver((list) => {
        isReported ||= list.getEntries().some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR);
      }).observe({ entryTypes: ["gc"] });
      gc();
      for (const until = performance.now() + ${PATIENCE}; !isReported && performance.now() < until; ) await setTimeout(10);
      console.log(alive.length && isReported ? heapPressureCount() : "no collection was reported");`;
    // Node's default of young space for a heap of 256 MiB would add 192 MiB to its limit.
    const limits = ["--max-old-space-size=256", "--max-semi-space-size=1"];
    const options = [...limits, "--expose-gc", "--input-type=module", "--eval", program];
    return Number(execFileSync(process.execPath, options, { encoding: "utf8" }));
  };
  expect(pressure(40)).toBe(0);
  expect(pressure(200)).toBeGreaterThan(0);
});
