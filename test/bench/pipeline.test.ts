import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "whileaway-pipeline-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BUILD = String.raw`#!/bin/sh
printf '\033[0m\033[1mbuilding\033[m\n'
printf '\033[33mwarning\033[m\n' >&2`;

const BENCH = String.raw`#!/bin/sh
printf '{"label":"%s","fanoutPerSecond":3000,"validHorizon":true}\n' "$LABEL"
echo "check: fan-out 1, different 0, missing 0, unexpected 0, duplicates 0, early 0"`;

/** A peer that takes no time. Its tools print the same lines as those of ../shared/peers, with Maven's escape codes. */
const peer = join(folder, "peers/kafka-streams");
mkdirSync(peer, { recursive: true });
mkdirSync(join(folder, "contract"));
writeFileSync(join(peer, "build.sh"), BUILD, { mode: 0o755 });
writeFileSync(join(peer, "bench.sh"), BENCH, { mode: 0o755 });

test("--json prints JSON alone on standard output, and the build without escape codes on standard error", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [main, "pipeline", "--json", "--runs", "1", "--peer", peer],
    { encoding: "utf8", env: { ...process.env, CACHE_DIR: join(folder, "cache") } },
  );
  expect(stderr).toContain("building\n");
  expect(stderr).toContain("warning\n");
  expect(stderr).not.toContain("\u001b");
  expect(JSON.parse(stdout)).toMatchObject({ ratio: { throughput: 1 } });
  expect(status).toBe(0);
});
