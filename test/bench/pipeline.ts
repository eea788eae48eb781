import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { freePort } from "./port.ts";
import { RAW, type Run, sideOf } from "./summary.ts";

/** A peer and its load generator, as in ../shared/peers. */
export const PEER = fileURLToPath(new URL("../../../shared/peers/kafka-streams", import.meta.url));
const PROCESSOR = fileURLToPath(new URL("processor.ts", import.meta.url));
const TRACE_LOAD = fileURLToPath(new URL("trace-load.ts", import.meta.url));
const READ_IMPORTS = fileURLToPath(new URL("read-imports.ts", import.meta.url));

/** The output of the peer's tools for one run. */
const runOnce = async (
  peer: string,
  isOurs: boolean,
  processes: number,
  work: string,
  load: readonly string[],
): Promise<Run> => {
  const label = isOurs ? "ours" : "exactly_once_v2";
  const environment = {
    ...process.env,
    LABEL: label,
    PORT: String(await freePort()),
    ...(isOurs ? { PROCESSOR: `${process.execPath} ${PROCESSOR}`, PEER_OPTS: `-Dprocesses=${processes}` } : {}),
  };
  const child = spawn(join(peer, "bench.sh"), [work, "exactly_once_v2", "preload", ...load], {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  // bench.sh stops the processes that it started when it is asked to.
  const stop = (): void => void child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  let output = "";
  for await (const piece of child.stdout) output += String(piece);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
  const log = logOf(work);
  const own = log.split("\n").find((line) => line.startsWith(`{"${RAW}"`)) ?? "";
  const run = sideOf(label, `${output}\n${own}`);
  if (run === null) throw new Error(`the run of ${label} has no figures:\n${output}\n${log.slice(-2_000)}`);
  return run;
};

const logOf = (work: string): string => {
  const file = join(work, "peer.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

/**
 * Builds the peer and its tools in a copy, so that the shared folder stays unchanged. Maven writes escape codes even
 * into a pipe. Its lines go to the destination of ours, without the codes, and standard output has the figures alone.
 */
const built = async (peer: string, tell: (line: string) => void): Promise<string> => {
  const home = join(process.env["CACHE_DIR"] ?? join(homedir(), ".cache/whileaway"), "bench");
  const copy = join(home, "peers/kafka-streams");
  if (existsSync(join(copy, "broker/target/libs"))) return copy;
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(resolve(peer), copy, { recursive: true });
  cpSync(resolve(peer, "../../contract"), join(home, "contract"), { recursive: true });
  const child = spawn("./build.sh", { cwd: copy, stdio: ["ignore", "pipe", "pipe"] });
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on("line", (line) => {
      const plain = stripVTControlCharacters(line);
      if (plain !== "") tell(plain);
    });
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the peer could not be built in ${copy}`);
  return copy;
};

/**
 * The same tools in a folder of their own, with READ records added to the load, or with a recorded chat as the load.
 */
const loading = (tools: string, folder: string, trace: string | undefined): string => {
  for (const name of readdirSync(tools)) if (name !== "load.sh") symlinkSync(join(tools, name), join(folder, name));
  const load = `"${join(tools, "load.sh")}" "$@"`;
  const node = `exec "${process.execPath}"`;
  const preload =
    trace === undefined
      ? `${load} && ${node} "${READ_IMPORTS}" "$@"`
      : `${node} "${TRACE_LOAD}" --trace "${resolve(trace)}" "$@"`;
  const lines = ["#!/bin/sh", 'case "$1" in', `preload) ${preload} ;;`, `*) exec ${load} ;;`, "esac", ""];
  writeFileSync(join(folder, "load.sh"), lines.join("\n"), { mode: 0o755 });
  return folder;
};

/** The processors to run, and the number of runs. */
export interface Runs {
  /** The folder of the peer and its load generator. */
  readonly peer: string;
  readonly runs: number;
  /** Our processes of conversations, and of inboxes. */
  readonly processes: number;
  /** A recorded chat (a .csv.gz) to use as the load, in place of the generator's. */
  readonly trace?: string;
}

/** Runs the peer and our pipeline in turn, so many times each. @param load options of the load generator */
export const pipeline = async (
  { peer, runs, processes, trace }: Runs,
  load: readonly string[],
  tell: (line: string) => void,
): Promise<readonly Run[]> => {
  const folder = mkdtempSync(join(tmpdir(), "whileaway-bench-"));
  const tools = loading(await built(peer, tell), folder, trace);
  const all: Run[] = [];
  for (let round = 0; round < runs; round++)
    for (const isOurs of [false, true]) {
      const work = mkdtempSync(join(tmpdir(), "whileaway-bench-"));
      chmodSync(work, 0o755); // the database lies within, whose user may be another, and is removed with it
      const run = await runOnce(tools, isOurs, processes, work, load);
      rmSync(work, { recursive: true, force: true });
      tell(`${run.label}: ${Math.round(run.fanoutPerSecond)} recipient updates/s, ${run.check}`);
      for (const example of run.examples) tell(`  ${example}`);
      all.push(run);
    }
  rmSync(folder, { recursive: true, force: true });
  return all;
};
