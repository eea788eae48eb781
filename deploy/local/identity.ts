import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The identity of a process: a pid is given to strangers later, a pid with its time of start is not. */
export interface Identity {
  readonly pid: number;
  readonly started: string;
}

/** The start of a running process, as an opaque word; undefined when no such process runs. */
export function startedAt(pid: number): string | undefined {
  const words = process.platform === "linux" ? linuxStart(pid) : ps("lstart=", pid);
  return words && createHash("sha256").update(words).digest("hex").slice(0, 12);
}

/** The identity of this process. */
export function self(): Identity {
  return { pid: process.pid, started: startedAt(process.pid) ?? "" };
}

/** Tells whether that very process still runs. */
export function runs({ pid, started }: Identity): boolean {
  return startedAt(pid) === started;
}

/** Signals that very process and never a stranger who has got its pid since; false when it is gone. */
export function signal(identity: Identity, name: NodeJS.Signals): boolean {
  if (!runs(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** The program that a running process runs; undefined when no such process runs. */
export function commandOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0];
  } catch {
    return undefined;
  }
  return ps("comm=", pid);
}

// proc(5): the name, field 2, may hold spaces and brackets, so fields count from its last bracket. 3 is the state, 22
// the start.
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function ps(column: string, pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return undefined;
  }
}
