import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { LocalStackError } from "./errors.ts";
import { noteChild } from "./hold.ts";
import { until } from "./ready.ts";
import type { Voice } from "./voice.ts";

const TAIL_LINES = 20;
const GRACE_S = 20;

/**
 * Becomes the program, and leaves a watchdog behind that reads a pipe from us. 'done' on the pipe means that the
 * program is gone. An end without it means that we died without a word, and the watchdog stops the program: in good
 * order, then by force. $$ stays the program's pid, which is exec'd. The watchdog is forked twice, so that the program
 * doesn't find it as a child.
 */
const WATCHED = `
exec 3<&0 </dev/null
signal=$1 grace=$2
shift 2
(
  (
    trap '' INT TERM HUP
    read -r word <&3
    [ "$word" = done ] && exit
    kill -s "$signal" $$
    while [ "$grace" -gt 0 ] && kill -0 $$; do sleep 1; grace=$((grace - 1)); done
    kill -0 $$ && kill -s KILL $$
  ) >/dev/null 2>&1 &
)
exec 3<&-
exec "$@"
`;

/** A program to run beside us. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Its whole environment: nothing is inherited. */
  readonly environment: Record<string, string | undefined>;
  /** The signal that asks it to end in good order. */
  readonly stop: "SIGTERM" | "SIGINT";
  /** The user that runs it, if another than ours. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Gets its output, besides the log. */
  readonly onOutput?: (text: string) => void;
}

/**
 * A program that runs. Disposing asks it to end, and forces it after 20 s. It outlives this process by no more than
 * that.
 */
export interface Child extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** The way in which it ended; undefined while it runs. */
  ended(): string | undefined;
  /** Resolves with its exit code, or -1 when a signal ended it. */
  readonly exit: Promise<number>;
  /** Its whole output. */
  output(): string;
  /** The last lines of its log and the path of the log, for an error. */
  tail(): string;
}

/** Starts a program with its output in `logs/NAME.log` of the data folder (that of the run before beside it, `.1`). */
export function startChild(dataDir: string, program: Program): Child {
  const log = freshLog(dataDir, program.name);
  const fd = openSync(log, "a", 0o600);
  const process_ = spawn(
    "/bin/sh",
    ["-c", WATCHED, program.name, program.stop.slice(3), String(GRACE_S), program.command, ...program.args],
    {
      cwd: program.cwd,
      env: program.environment,
      stdio: ["pipe", program.onOutput ? "pipe" : fd, fd],
      detached: true, // its own process group: Ctrl-C reaches only us, who stop programs in order
      ...program.user,
    },
  );
  closeSync(fd);
  return watch(dataDir, program, process_, log);
}

/** Runs a program to its end. Throws LocalStackError with the end of its log unless it exits with 0. */
export async function run(dataDir: string, program: Program): Promise<string> {
  await using child = startChild(dataDir, program);
  const code = await child.exit;
  if (code !== 0) throw new LocalStackError(`${program.name} failed (${child.ended()})\n${child.tail()}`);
  return child.output();
}

/** Waits for a child to be ready. Throws with the end of its log when it dies first or takes too long. */
export async function untilReady(child: Child, fact: () => Promise<boolean>, limitMs: number): Promise<void> {
  const ready = await until(async () => child.ended() !== undefined || (await fact()), limitMs);
  const ended = child.ended();
  if (ended !== undefined) throw new LocalStackError(`${child.name} ended while starting (${ended})\n${child.tail()}`);
  if (!ready) throw new LocalStackError(`${child.name} was not ready after ${limitMs / 1000} s\n${child.tail()}`);
}

/** Reports a child that ends unasked. The returned object is disposed before the child is. */
export function guard(child: Child, voice: Voice): Disposable {
  let expected = false;
  void child.exit.then(() => {
    if (!expected) voice.say(`${child.name}: ended by itself (${child.ended()})\n${child.tail()}`);
  });
  return { [Symbol.dispose]: () => void (expected = true) };
}

function watch(dataDir: string, program: Program, process_: ChildProcess, log: string): Child {
  let ended: string | undefined;
  const note = process_.pid === undefined ? undefined : noteChild(dataDir, program.name, process_.pid);
  const printed = tee(process_, log, program.onOutput);
  const exit = new Promise<number>((resolve) => {
    const end = (how: string, code: number) => {
      ended ??= how;
      note?.[Symbol.dispose]();
      process_.stdin?.end("done\n");
      void printed.then(() => resolve(code));
    };
    process_.once("error", (error) => end(error.message, -1));
    // Not 'close': that waits for the pipe that the watchdog holds.
    process_.once("exit", (code, signal) => end(signal ?? `exit code ${code}`, code ?? -1));
  });
  process_.stdin?.on("error", () => undefined); // the watchdog may be gone first
  const output = () => readFileSync(log, "utf8");
  return {
    name: program.name,
    pid: process_.pid ?? -1,
    exit,
    ended: () => ended,
    output,
    tail: () => tailOf(log),
    [Symbol.asyncDispose]: async () => {
      if (ended !== undefined) return;
      process_.kill(program.stop);
      const force = setTimeout(() => process_.kill("SIGKILL"), GRACE_S * 1000);
      await exit;
      clearTimeout(force);
    },
  };
}

/** Resolves when the program's whole output has been written. */
function tee(process_: ChildProcess, log: string, onOutput: ((text: string) => void) | undefined): Promise<void> {
  const { stdout } = process_;
  if (!stdout || !onOutput) return Promise.resolve();
  stdout.setEncoding("utf8").on("data", (text: string) => {
    appendFileSync(log, text);
    onOutput(text);
  });
  return new Promise((resolve) => stdout.once("close", resolve));
}

/** A new log file; that of the run before is kept beside it, as `.1`. */
export function freshLog(dataDir: string, name: string): string {
  mkdirSync(join(dataDir, "logs"), { recursive: true });
  const log = join(dataDir, "logs", `${name}.log`);
  if (existsSync(log)) renameSync(log, `${log}.1`);
  return log;
}

/** The last lines of a log and its path, for an error. */
export function tailOf(log: string): string {
  return `the end of ${log}:\n${readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n")}`;
}
