import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["services/**/*.test.ts", "deploy/**/*.test.ts", "schemas/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: "test/support/stack.ts",
    reporters: ["./test/support/reporter.ts"],
    // A limit for what hangs, not a measure of speed: tests wait for facts.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Bounds follow the heap that there may be (services/platform/runtime/memory-limits.ts): tests are to find the same on any machine.
    execArgv: ["--max-old-space-size=4096"],
  },
});
