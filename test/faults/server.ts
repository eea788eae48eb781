import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Place } from "../../deploy/local/place.ts";
import { ports } from "../../deploy/local/ports.ts";
import { startPostgres } from "../../deploy/local/postgres.ts";
import { voice } from "../../deploy/local/voice.ts";
import { migrate } from "../../services/platform/adapters/postgres/migrations.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { eventually } from "../support/world.ts";

/** How a server ends: by a signal of its own, or by one that nobody can hear. */
export const ends = { killed: "SIGKILL", immediate: "SIGQUIT", fast: "SIGINT" } as const;

/** A PostgreSQL of a test's own, which keeps what it commits; it ends with the test. */
export interface Server {
  /** A migrated database. */
  readonly address: string;
  stop(how: keyof typeof ends): Promise<void>;
  /** Resolves when it answers, on the port that it had; one that still runs is left alone. */
  start(): Promise<void>;
  /** Ends in good order and comes back as a standby: it answers, and refuses whatever would write. */
  demote(): Promise<void>;
  /** It is the primary again. */
  promote(): Promise<void>;
  /** Takes all that is left of its disk; returns how it is given back. Only where the disk is its own (`ofBytes`). */
  fill(): () => void;
  /** How often its log says so, since it was started last. */
  says(text: string): number;
}

/** @param ofBytes the size of a disk of its own, in memory: only root can have that; else it lies with all other files */
export const startServer = async (ofBytes: number | null = null): Promise<Server> => {
  const made = (): string => realpathSync(mkdtempSync(join(tmpdir(), "whileaway-server-")));
  const [folder, logs] = [made(), made()];
  if (ofBytes !== null) mount(folder, ofBytes);
  symlinkSync(logs, join(folder, "logs")); // where the disk is full, the log is to say so
  chmodSync(folder, 0o755); // whoever runs it, where we are root, comes in
  const place = (): Place => ({
    dataDir: folder,
    cacheDir: folder,
    environment: {},
    ports: ports(folder, {}), // anew each time: the port of last time is taken for the one to have
    voice: voice(() => undefined),
    throwaway: false,
  });
  let running = await startPostgres(place());
  const pid = (): number => parseInt(readFileSync(join(folder, "postgres/data/postmaster.pid"), "utf8"), 10);
  onTestFinished(async () => {
    await running.stop[Symbol.asyncDispose]();
    if (ofBytes !== null) spawnSync("umount", ["--lazy", folder]);
    for (const one of [folder, logs]) rmSync(one, { recursive: true, force: true });
  });
  await migrate(running.address);
  const stop = async (how: keyof typeof ends): Promise<void> => {
    process.kill(pid(), ends[how]);
    await running.stop[Symbol.asyncDispose]();
  };
  const start = (): Promise<void> =>
    eventually(async () => {
      if (isAlive(pid)) return;
      running = await startPostgres(place()); // not at once, while what is left of the one before holds its memory
    });

  return {
    address: running.address,
    stop,
    start,
    async demote() {
      await stop("fast");
      const data = realpathSync(join(folder, "postgres/data"));
      const signal = join(data, "standby.signal");
      writeFileSync(signal, "");
      const { uid, gid } = statSync(data);
      chownSync(signal, uid, gid);
      await start();
    },
    async promote() {
      await using database = openDatabase(running.address, "promotes");
      await database.query("select pg_promote()");
    },
    says: (text) => readFileSync(join(logs, "postgres.log"), "utf8").split(text).length - 1,
    fill() {
      const filler = join(folder, "filler");
      const file = openSync(filler, "w");
      try {
        for (const zeros = Buffer.alloc(64 * 1024); ;) writeSync(file, zeros);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        closeSync(file);
      }
      return () => rmSync(filler);
    },
  };
};

const isAlive = (pid: () => number): boolean => {
  try {
    return process.kill(pid(), 0);
  } catch {
    return false;
  }
};

const mount = (folder: string, bytes: number): void => {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
  if (status !== 0) throw new Error(`no disk of its own: ${String(stderr)}`);
};
