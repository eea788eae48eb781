import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { Comparison } from "./compare.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const corpus = fileURLToPath(new URL("../../../../shared/corpora/chat-trace/trace.csv.gz", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "whileaway-whatif-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** ada and bob write in r on three days. Each misses the other's messages while not writing. */
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

test("the report has the figures, a histogram and the users whose notifications change most", () => {
  const { stdout } = whatif("--settings", eager, ...stretch);
  expect(stdout).toMatch(/^notifications +2 +3$/m);
  expect(stdout).toMatch(/1 {2}today +\d+ {2}#+/);
  expect(stdout).toMatch(/bob +1 +2 +\+1/);
});

test("--today replaces today's settings", () => {
  const { stdout } = whatif("--settings", eager, "--today", eager, ...stretch, "--json");
  const { today, other } = JSON.parse(stdout) as Comparison;
  expect(today).toEqual(other);
});

test.each<readonly [what: string, settings: string, why: RegExp]>([
  ["a value out of range", '{"vip": {"timeout": 5000}}', /role vip: timeout: must be a number from 0 to 900/],
  [
    "a field that isn't there",
    '{"timeout": 5, "timeOut": 5}',
    /role default: timeOut: is not a setting; .*timeout=sec/,
  ],
  ["a field alone that isn't there", '{"timeOut": 5}', /timeOut: neither a setting nor a role/],
  [
    "a nested field that isn't there",
    '{"vip": {"cooldown": {"frst": 5}}}',
    /role vip: cooldown\.frst: is not a setting/,
  ],
  ["every field that isn't there", '{"timeout": 5, "a": 5, "b": 5}', /a: is not a setting; b: is not a setting/],
  [
    "a role called constructor with a value out of range",
    '{"constructor": {"timeout": 5000}}',
    /role constructor: timeout: must/,
  ],
  ["a negative value", '{"settle": -1}', /settle: must be a number from 0 to 60/],
  ["a fraction of a whole number", '{"dailyCap": 1.5}', /dailyCap: must be a whole number from 1 to 1000/],
  ["a role without a name", '{"": {"timeout": 5}}', /a role is empty/],
  ["a list", "[]", /not an object of settings/],
  ["bad JSON", '{"timeout":', /wrong\.json: .*JSON/],
])("%s in a settings file is refused by the file and the field", (_what, settings, why) => {
  for (const flag of ["--settings", "--today"]) {
    const others = flag === "--today" ? ["--settings", eager] : [];
    const { status, stdout, stderr } = whatif(flag, file("wrong.json", settings), ...others, ...stretch);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: .*wrong\.json: /);
    expect(stderr).toMatch(why);
  }
});

test("a byte order mark in a settings file is skipped", () => {
  const marked = whatif("--settings", file("marked.json", '\uFEFF{"timeout": 60}'), ...stretch, "--json");
  expect((JSON.parse(marked.stdout) as Comparison).other.notifications).toBe(3);
});

test.each<readonly [what: string, flags: readonly string[], why: string]>([
  ["a settings file that isn't there", ["--settings", "nosuch.json", ...stretch], "nosuch.json"],
  ["a trace that isn't there", ["--settings", eager, ...stretch, "--trace", "nosuch.csv.gz"], "nosuch.csv.gz"],
  ["a time that isn't one", ["--settings", eager, ...stretch, "--to", "soon"], "neither an ISO 8601 time"],
  ["a time of words with a number", ["--settings", eager, ...stretch, "--to", "May 5"], "neither an ISO 8601 time"],
  ["a time beyond all dates", ["--settings", eager, ...stretch, "--to", "8640000000000001"], "8640000000000000"],
  ["a stretch backwards", ["--settings", eager, ...stretch, "--to", "2026-01-05"], "--from is not before --to"],
  ["no settings", [...stretch], "--settings"],
])("%s ends with 2", (_what, flags, why) => {
  const { status, stdout, stderr } = whatif(...flags);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(why);
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
