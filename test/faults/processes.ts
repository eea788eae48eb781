import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { inject, onTestFailed, onTestFinished } from "vitest";
import type { Failpoint } from "../../services/platform/runtime/failpoints.ts";
import type { World } from "../support/world.ts";

/** A process that runs services of a world. It is killed after the test if it still runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves with the exit code and the signal. */
  readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The lines logged so far, as LOG_LEVEL allows. */
  readonly said: readonly Line[];
}

/** A line of a log, with the fields that tests look at. */
export interface Line {
  readonly level: number;
  readonly message: string;
  readonly processor?: string;
  readonly queue?: string;
  readonly outcome?: string;
  readonly lanes?: readonly number[];
}

/** The failpoint at which a process is struck: the `times`th time that `who` passes it. */
export interface Strike {
  readonly point: Failpoint;
  readonly who: string;
  readonly times: number;
  /** Kills the process by default; SIGSTOP stops it until a SIGCONT. */
  readonly signal?: "SIGKILL" | "SIGSTOP";
}

export const hasSaid = ({ said }: Pick<Running, "said">, wanted: string): boolean =>
  said.some(({ message }) => message === wanted);

/**
 * Processors and queues whose commits and settlements were refused, one entry each: another process owned the lane or
 * job.
 */
export const refusals = (said: readonly Line[]): readonly string[] =>
  said.flatMap(({ message, processor, queue, outcome }) => {
    if (message.startsWith("commit refused")) return [processor ?? ""];
    return message === "attempted" && outcome === "lost" ? [queue ?? ""] : [];
  });

/** pino's number for an error. Lines of this level are shown. */
const ERROR = 50;
/** Lines that are shown where the test fails, apart from those of single attempts. */
const LAST = 200;

/**
 * Starts all services in one process, or the one that SERVICE names.
 * @param strike the failpoint at which it is struck, if any
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
