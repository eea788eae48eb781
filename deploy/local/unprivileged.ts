import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { LocalStackError } from "./errors.ts";

/** The user that runs a program in root's place. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const CANDIDATES = ["postgres", "nobody"];
/** The folder for files that this user must reach and cannot reach in the clone, as under /root. */
const REACHABLE = "/var/lib/whileaway";

/**
 * The user for a server that refuses root; undefined when we are not root. The owner of data that exists already goes
 * first. An account must have a name: initdb looks it up.
 */
export async function unprivilegedUser(data: string): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(data).catch(() => undefined);
  if (owner && owner.uid !== 0)
    return { uid: owner.uid, gid: owner.gid, name: printed("-un", String(owner.uid)) ?? `uid ${owner.uid}` };
  for (const name of CANDIDATES) {
    const [uid, gid] = [printed("-u", name), printed("-g", name)];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid), name };
  }
  throw new LocalStackError(
    `PostgreSQL refuses to run as root, and there is no user ${CANDIDATES.join(" or ")}: add one, or start as another user`,
  );
}

/** Tells whether that user can read and enter a folder, and so all above it. */
export function reaches(user: User | undefined, folder: string): boolean {
  if (!user) return true;
  const { uid, gid } = user;
  return spawnSync("/bin/sh", ["-c", 'cd "$1" && ls >/dev/null', "sh", folder], { uid, gid, cwd: "/" }).status === 0;
}

/** A folder of root's own outside the clone, which every user can enter and only root can write; one for each name. */
export async function reachableFolder(name: string): Promise<string> {
  const folder = join(REACHABLE, name);
  await mkdir(folder, { recursive: true });
  for (const each of [REACHABLE, folder]) await chmod(each, 0o755);
  return folder;
}

/** A short name for a folder, the same at each start. */
export function nameOf(folder: string): string {
  return createHash("sha256").update(realpathSync(folder)).digest("hex").slice(0, 12);
}

function printed(flag: string, user: string): string | undefined {
  try {
    return execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}
