import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inject, onTestFailed, onTestFinished } from "vitest";
import type { Failpoint } from "../../services/platform/runtime/failpoints.ts";
import type { World } from "../support/world.ts";

/** A process with services of a world; what is left of it when the test is over is killed. */
export interface Running {
  readonly child: ChildProcess;
  /** How it ended. */
  readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** What it has logged so far; which is LOG_LEVEL's to say. */
  readonly said: readonly Line[];
}

/** A line of a log, and of its fields those that tests look at. */
export interface Line {
  readonly level: number;
  readonly message: string;
  readonly processor?: string;
  readonly queue?: string;
  readonly outcome?: string;
  readonly lanes?: readonly number[];
}

/** Where a process is struck: at the `times`th time that `who` passes the point. */
export interface Strike {
  readonly point: Failpoint;
  readonly who: string;
  readonly times: number;
  /** Killed, unless it is to be stopped: by SIGSTOP, until somebody says SIGCONT. */
  readonly signal?: "SIGKILL" | "SIGSTOP";
}

export const hasSaid = ({ said }: Pick<Running, "said">, wanted: string): boolean =>
  said.some(({ message }) => message === wanted);

/** Whose commits and settlements were refused, one by one: another had taken what they were about. */
export const refusals = (said: readonly Line[]): readonly string[] =>
  said.flatMap(({ message, processor, queue, outcome }) => {
    if (message.startsWith("commit refused")) return [processor ?? ""];
    return message === "attempted" && outcome === "lost" ? [queue ?? ""] : [];
  });

/** pino's number for an error: such lines are shown. */
const ERROR = 50;
/** Lines that are shown where the test fails, but for those of each attempt. */
const LAST = 200;

/**
 * All services in one process, or the one that SERVICE names.
 * @param strike where it is struck, if at all
 * @param more settings of this process alone
 */
export const startAll = (
  { environment }: World,
  strike: Strike | null = null,
  more: Readonly<Record<string, string>> = {},
  main = fileURLToPath(new URL("victim.ts", import.meta.url)),
): Running => {
  const STRIKE = strike === null ? "" : `${strike.point} ${strike.who} ${strike.times} ${strike.signal ?? "SIGKILL"}`;
  const NODE_COMPILE_CACHE = inject("compiled");
  const env = { ...process.env, ...environment, NODE_COMPILE_CACHE, STRIKE, ...more };
  const child = spawn(process.execPath, ["--expose-gc", main], { env, stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const said: Line[] = [];
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      said.push(line);
      if (line.level >= ERROR) console.log(text);
    });
  const end = new Promise<Awaited<Running["end"]>>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await end;
  });
  onTestFailed(() => {
    const lines = said.filter(({ message }) => message !== "attempted").slice(-LAST);
    console.log(`process ${child.pid} has said:`, lines.map((line) => JSON.stringify(line)).join("\n"));
  });
  return { child, end, said };
};
