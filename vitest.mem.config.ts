import { defineConfig } from "vitest/config";
export default defineConfig({
  root: "/work/main",
  test: { include: ["test/flow/**/*.test.ts", "services/**/*.test.ts"], reporters: ["./test/support/reporter.ts"] },
});
