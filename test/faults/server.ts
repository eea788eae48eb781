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

/** Ways to stop a server: in good order, at once, or by SIGKILL. */
export const ends = { killed: "SIGKILL", immediate: "SIGQUIT", fast: "SIGINT" } as const;

/** A PostgreSQL of a test's own, which syncs its commits. It ends with the test. */
export interface Server {
  /** The address of a migrated database. */
  readonly address: string;
  stop(how: keyof typeof ends): Promise<void>;
  /** Starts the server on the port that it had unless it runs; resolves when it answers. */
  start(): Promise<void>;
  /** Restarts the server as a standby: it answers, and refuses writes. */
  demote(): Promise<void>;
  /** Makes the server a primary again. */
  promote(): Promise<void>;
  /**
   * Fills the rest of its disk; returns a function that frees the space. Only where the disk is its own (`ofBytes`).
   */
  fill(): () => void;
  /** Number of times that a text is in the log since the server's last start. */
  says(text: string): number;
}

/**
 * @param ofBytes size of a disk of its own, in memory. Only root can have one; without it the data lies with all other
 * files
 */
export const startServer = async (ofBytes: number | null = null): Promise<Server> => {
  const made = (): string => realpathSync(mkdtempSync(join(tmpdir(), "whileaway-server-")));
  const [folder, logs] = [made(), made()];
  if (ofBytes !== null) mount(folder, ofBytes);
  symlinkSync(logs, join(folder, "logs")); // the log has room where the disk is full
  chmodSync(folder, 0o755); // the user that runs the server in root's place may enter
  const place = (): Place => ({
    dataDir: folder,
    cacheDir: folder,
    environment: {},
    ports: ports(folder, {}), // a new object at each start: it remembers the port of the last start
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
      running = await startPostgres(place()); // a start fails while a process of the one before holds its memory
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
