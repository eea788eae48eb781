import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { runs, self } from "./identity.ts";

/**
 * Makes a folder once. It is built beside its place and renamed into it, so that it is there whole or not at all,
 * whoever is killed meanwhile and however many build it at once (the first to finish wins). Leftovers of dead builders
 * are removed.
 */
export async function buildOnce(target: string, build: (temporary: string) => Promise<void>): Promise<string> {
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  await removeLeftovers(target);
  const { pid, started } = self();
  const temporary = `${target}.new-${pid}-${started}-${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(temporary);
    await build(temporary);
    await rename(temporary, target).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.new-`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [pid, started = ""] = name.slice(prefix.length).split("-");
    if (!runs({ pid: Number(pid), started })) await rm(join(folder, name), { recursive: true, force: true });
  }
}
