import { defineConfig } from "vitest/config";

/** Specs need no server, and take a minute together. Everything else runs on one stack of real servers. */
const SPECS = [
  "services/**/*.test.ts",
  "schemas/**/*.test.ts",
  "test/bench/**/*.test.ts",
  "test/house/**/*.test.ts",
  "test/faults/mutations.test.ts",
];

export default defineConfig({
  test: {
    reporters: ["./test/support/reporter.ts"],
    // A limit for what hangs, not a measure of speed: tests wait for facts.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Bounds follow the size of the heap (services/platform/runtime/memory-limits.ts): tests find the same on any machine.
    execArgv: ["--max-old-space-size=4096"],
    projects: [
      { extends: true, test: { name: "specs", include: SPECS } },
      {
        extends: true,
        test: {
          name: "servers",
          include: ["deploy/**/*.test.ts", "test/**/*.test.ts"],
          exclude: SPECS,
          globalSetup: "test/support/stack.ts",
        },
      },
    ],
  },
});
