import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../scratch.ts";
import { LOG_FILES, openJsonLog, readJsonLog } from "./log.ts";

test("old files are put aside, and the oldest is removed", async () => {
  const dir = await scratch();
  await using log = await openJsonLog(dir, 20);
  for (let at = 1; at <= 10; at++) {
    log.append({ at, padding: "x".repeat(20) });
    await log.flush();
  }
  expect((await readdir(dir)).length).toBeLessThanOrEqual(LOG_FILES);
  const kept = (await readJsonLog(dir)).map((record) => (record as { at: number }).at);
  expect(kept).toEqual([8, 9, 10]);
});

test("a line that a crash cut short is skipped, and the next one is whole", async () => {
  const dir = await scratch();
  await (await openJsonLog(dir))[Symbol.asyncDispose]();
  await appendFile(join(dir, "deliveries.jsonl"), '{"at":1}\n{"at":');
  const log = await openJsonLog(dir);
  log.append({ at: 2 });
  await log[Symbol.asyncDispose]();
  expect(await readJsonLog(dir)).toEqual([{ at: 1 }, { at: 2 }]);
});
