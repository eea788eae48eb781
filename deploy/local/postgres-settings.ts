import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = "postgres.password";
/** The one user, and the database that belongs to Whileaway. */
export const NAME = "whileaway";

const SETTINGS = {
  max_connections: "300",
  shared_buffers: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  jit: "off",
  timezone: "UTC",
  log_line_prefix: "%m [%p] %q%d ",
};

/** For throwaway data: nothing is written for a recovery after a crash. */
const THROWAWAY = { fsync: "off", full_page_writes: "off", synchronous_commit: "off" };

/** PostgreSQL's settings, wherever it runs. */
export function postgresSettings(throwaway: boolean): Record<string, string> {
  return throwaway ? { ...SETTINGS, ...THROWAWAY } : SETTINGS;
}

/** Tells whether this stack has had a PostgreSQL. */
export function hasPassword(dataDir: string): boolean {
  return existsSync(join(dataDir, FILE));
}

/** The password of this stack's PostgreSQL: drawn once, kept in a file that only we may read. */
export async function keptPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, FILE);
  const kept = await readFile(file, "utf8").catch(() => "");
  if (kept) return kept;
  const password = randomBytes(24).toString("base64url");
  await writeFile(`${file}.new`, password, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}
