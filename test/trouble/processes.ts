import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Point } from "../../services/runtime/points.ts";
import type { World } from "../support/world.ts";

/** A process with services of a world; what is left of it when the test is over is killed. */
export interface Running {
  readonly child: ChildProcess;
  /** How it ended. */
  readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Where a process is to die: at the `times`th time that `who` passes the point. */
export interface Strike {
  readonly point: Point;
  readonly who: string;
  readonly times: number;
}

/** All services in one process. @param strike where it is to die, if at all */
export const startAll = ({ environment }: World, strike: Strike | null = null): Running => {
  const main = fileURLToPath(new URL("victim.ts", import.meta.url));
  const STRIKE = strike === null ? "" : `${strike.point} ${strike.who} ${strike.times}`;
  const env = { ...process.env, ...environment, STRIKE };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "inherit", "inherit"] });
  const end = new Promise<Awaited<Running["end"]>>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await end;
  });
  return { child, end };
};
