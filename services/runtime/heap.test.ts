import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

/** How often the whole heap, with some 100 MiB in it, is marked while a GiB of buffers comes and goes. */
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

test("buffers that come and go don't have the whole heap marked", () => {
  const weighing = `
    import { weighBuffersWithHeap } from ${JSON.stringify(new URL("heap.ts", import.meta.url).href)};
    weighBuffersWithHeap();`;
  expect(markings(weighing)).toBeLessThan(markings("") / 2);
});
