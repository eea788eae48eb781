import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for one test, with a space in its name. It is removed after the test. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "whileaway test "));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
