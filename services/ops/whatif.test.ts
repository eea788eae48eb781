import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { Comparison } from "./compare.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const corpus = fileURLToPath(new URL("../../../shared/corpora/chat-trace/trace.csv.gz", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "whileaway-whatif-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** ada and bob write in r on three days; who doesn't write then misses what the other writes. */
const DAY_ONE = Date.UTC(2026, 0, 5, 12);
const rows = [
  [0, "ada"],
  [1, "bob"],
  [24 * 60, "ada"],
  [24 * 60 + 3, "bob"],
  [48 * 60, "ada"],
].map(([minute, user]) => `${DAY_ONE + Number(minute) * 60_000},r,${user},20,,,`);
const trace = file("trace.csv.gz", gzipSync(["at_ms,room,user,chars,mentions,reply_to,topic", ...rows].join("\n")));

const whatif = (...flags: readonly string[]) => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, "whatif", ...flags], { encoding: "utf8" });
  return { status, stderr, stdout };
};
const stretch = ["--trace", trace, "--from", "2026-01-06", "--to", "2026-01-08"] as const;
const eager = file("eager.json", '{"timeout": 60}');

test("a stretch of a trace is decided with both settings, side by side", () => {
  const { stdout, stderr } = whatif("--settings", eager, ...stretch, "--json");
  expect(stderr).toBe("");
  const { today, other, users, daily } = JSON.parse(stdout) as Comparison;
  expect([daily[0], daily.length]).toEqual([1, today.days.length]);
  // Day two: ada's message waits for bob only three minutes; day three nobody answers.
  expect([today.notifications, other.notifications]).toEqual([2, 3]);
  expect([today.mails, other.mails]).toEqual([2, 3]);
  expect(other.readAnyway).toBe(1);
  expect(users).toEqual([{ userId: "bob", today: 1, other: 2 }]);
});

test("it is said in words, with a histogram and the users whose notifications change most", () => {
  const { stdout } = whatif("--settings", eager, ...stretch);
  expect(stdout).toMatch(/^notifications +2 +3$/m);
  expect(stdout).toMatch(/1 {2}today +\d+ {2}#+/);
  expect(stdout).toMatch(/bob +1 +2 +\+1/);
});

test("today's settings may be given, too", () => {
  const { stdout } = whatif("--settings", eager, "--today", eager, ...stretch, "--json");
  const { today, other } = JSON.parse(stdout) as Comparison;
  expect(today).toEqual(other);
});

test("settings that can't be are refused by name", () => {
  const wrong = file("wrong.json", '{"vip": {"timeout": 5000}}');
  const { status, stderr } = whatif("--settings", wrong, ...stretch);
  expect(status).toBe(1);
  expect(stderr).toMatch(/wrong\.json: role vip: timeout: must be a number from 0 to 900/);
});

test.skipIf(!existsSync(corpus))(
  "the first weeks of a real chat's trace (skipped where ../shared/corpora isn't)",
  () => {
    const grouped = file("grouped.json", '{"group": "recipient"}');
    const weeks = ["--trace", corpus, "--from", "2024-01-08", "--to", "2024-01-15"] as const;
    const { today, other } = JSON.parse(whatif("--settings", grouped, ...weeks, "--json").stdout) as Comparison;
    expect(today.notifications).toBeGreaterThan(other.notifications);
    expect(other.notifications).toBeGreaterThan(0);
    expect(today.days.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(today.notifications);
  },
);
