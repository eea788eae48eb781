import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { endLeftovers, holdFolder, noteChild } from "./hold.ts";
import { runs, startedAt } from "./identity.ts";
import { scratch } from "./scratch.ts";

test("a folder is held by one living process", async () => {
  const dataDir = await scratch();
  {
    using _ = holdFolder(dataDir);
    expect(() => holdFolder(dataDir)).toThrow(/in use .*process \d+/);
  }
  holdFolder(dataDir)[Symbol.dispose]();
});

test("a dead holder is replaced", async () => {
  const dataDir = await scratch();
  await mkdir(join(dataDir, "run"));
  await writeFile(join(dataDir, "run/holder.json"), JSON.stringify({ pid: process.pid, started: "000000000000" }));
  using _ = holdFolder(dataDir);
  expect(() => holdFolder(dataDir)).toThrow(/in use/);
});

test("a stranger with the pid of a leftover is left alone", async () => {
  const dataDir = await scratch();
  const stranger = spawn("sleep", ["60"]);
  const pid = stranger.pid ?? 0;
  try {
    await mkdir(join(dataDir, "run"));
    await writeFile(join(dataDir, "run/kafka.pid.json"), JSON.stringify({ pid, started: "000000000000" }));
    await endLeftovers(dataDir, { say: () => expect.unreachable() });
    expect(runs({ pid, started: startedAt(pid) ?? "" })).toBe(true);
    expect(existsSync(join(dataDir, "run/kafka.pid.json"))).toBe(false);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("a leftover that is ending is waited for", async () => {
  const dataDir = await scratch();
  const leftover = spawn("sleep", ["0.3"]);
  noteChild(dataDir, "kafka", leftover.pid ?? 0);
  const said: string[] = [];
  await endLeftovers(dataDir, { say: (line) => said.push(line) });
  expect(said).toEqual([`kafka: waiting for process ${leftover.pid} of the run before to end`]);
  if (leftover.exitCode === null) await once(leftover, "exit");
  expect(leftover.exitCode).toBe(0);
});
