import { readFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Program, run, startChild, untilReady } from "./child.ts";
import { runs, startedAt } from "./identity.ts";
import { until } from "./ready.ts";
import { scratch } from "./scratch.ts";

const WAIT_MS = 10_000;
const script = (name: string, text: string): Program => ({
  name,
  command: "/bin/sh",
  args: ["-c", text],
  cwd: "/",
  environment: {},
  stop: "SIGTERM",
});

test("the output of a program is in its log, and that of the run before is beside it", async () => {
  const dataDir = await scratch();
  expect(await run(dataDir, script("echo", "echo one; echo two >&2"))).toBe("one\ntwo\n");
  await run(dataDir, script("echo", "echo three"));
  expect(await readFile(join(dataDir, "logs/echo.log"), "utf8")).toBe("three\n");
  expect(await readFile(join(dataDir, "logs/echo.log.1"), "utf8")).toBe("one\ntwo\n");
});

test("a failure carries the end of the log and its path", async () => {
  const dataDir = await scratch();
  const failing = run(dataDir, script("initdb", "seq 100; exit 3"));
  await expect(failing).rejects.toThrow(
    /initdb failed \(exit code 3\)\nthe end of .*logs\/initdb.log:\n81\n(.*\n)*100$/,
  );
});

test("a program that cannot be run fails", async () => {
  const missing = run(await scratch(), { ...script("none", ""), command: "/no/such/program" });
  await expect(missing).rejects.toThrow(/none failed \(exit code 127\)/);
});

test("a child that dies ends the wait for it", async () => {
  await using child = startChild(await scratch(), script("broker", "echo no heap; exit 1"));
  await expect(untilReady(child, async () => false, WAIT_MS)).rejects.toThrow(/ended while starting .*no heap/s);
});

test("disposing asks the child to end and waits for it", async () => {
  const dataDir = await scratch();
  const child = startChild(
    dataDir,
    script("orderly", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
  );
  await untilReady(child, async () => child.output() === "up\n", WAIT_MS);
  await child[Symbol.asyncDispose]();
  expect(child.output()).toBe("up\nbye\n");
  expect(child.ended()).toBe("exit code 0");
});

test("a child does not outlive a parent that was killed without a word", async () => {
  const dataDir = await scratch();
  const parent = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    `const { startChild } = await import(${JSON.stringify(join(import.meta.dirname, "child.ts"))});
     const child = startChild(${JSON.stringify(dataDir)}, ${JSON.stringify(script("orphan", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"))});
     while (child.output() !== "up\\n") await new Promise((done) => setTimeout(done, 20));
     console.log(child.pid);
     setInterval(() => {}, 1000);`,
  ]);
  const pid = await new Promise<number>((resolve) => parent.stdout.once("data", (data) => resolve(Number(data))));
  const orphan = { pid, started: startedAt(pid) ?? "" };
  expect(runs(orphan)).toBe(true);
  parent.kill("SIGKILL");
  expect(await until(async () => !runs(orphan), WAIT_MS)).toBe(true);
  expect(await readFile(join(dataDir, "logs/orphan.log"), "utf8")).toBe("up\nbye\n");
});
