import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { LocalStackError } from "./errors.ts";
import { noteChild } from "./hold.ts";
import type { Voice } from "./voice.ts";

const TAIL_LINES = 20;
const GRACE_S = 20;

/**
 * Becomes the program, and leaves a watchdog behind that reads a pipe from us. 'done' on it means the program is gone;
 * its end without that means we died without a word, and the program is stopped in good order, then by force. $$ stays
 * the program's pid: the program is exec'd, and the watchdog, forked twice, is nobody's child that it would wonder about.
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
  /** What asks it to end in good order. */
  readonly stop: "SIGTERM" | "SIGINT";
  /** Who runs it, where that is not who we are. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Sees what it prints, besides the log. */
  readonly onOutput?: (text: string) => void;
}

/** A program that runs; disposing asks it to end, and forces it after 20 s. It never outlives this process by more. */
export interface Child extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** How it ended; undefined while it runs. */
  ended(): string | undefined;
  /** Resolves with its exit code, or -1 when a signal ended it. */
  readonly exit: Promise<number>;
  /** All it has printed. */
  output(): string;
  /** The last lines of its log and where the log is, for an error. */
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
      detached: true, // its own process group: Ctrl-C is for us, who stop things in order
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

/** Says so when a child ends that nobody asked to. The returned thing is disposed before the child is. */
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

/** Resolves when all that the program printed has been seen. */
function tee(process_: ChildProcess, log: string, onOutput: ((text: string) => void) | undefined): Promise<void> {
  const { stdout } = process_;
  if (!stdout || !onOutput) return Promise.resolve();
  stdout.setEncoding("utf8").on("data", (text: string) => {
    appendFileSync(log, text);
    onOutput(text);
  });
  return new Promise((resolve) => stdout.once("close", resolve));
}

/** A new log file; the run before's is kept beside it, as `.1`. */
export function freshLog(dataDir: string, name: string): string {
  mkdirSync(join(dataDir, "logs"), { recursive: true });
  const log = join(dataDir, "logs", `${name}.log`);
  if (existsSync(log)) renameSync(log, `${log}.1`);
  return log;
}

/** The last lines of a log and where it is, for an error. */
export function tailOf(log: string): string {
  return `the end of ${log}:\n${readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n")}`;
}
