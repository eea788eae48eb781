import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in which Linux counts CPU time (proc(5), `sysconf(_SC_CLK_TCK)`). */
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** What proc(5) says of a process, from its third field on; none where it has ended meanwhile. */
const statOf = (pid: number): readonly string[] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
};

/** CPU seconds of a process so far, of its threads and of the children it has waited for. */
const ownSeconds = (pid: number): number =>
  [11, 12, 13, 14].reduce((sum, field) => sum + Number(statOf(pid)[field] ?? 0), 0) / TICKS;

/** The process that has started it. */
export const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? 0);

/** CPU seconds so far of a process and of all that it has started and that still run. */
export const cpuSeconds = (pid: number): number => {
  const running = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const children = running.filter((other) => parentOf(other) === pid);
  return children.reduce((sum, child) => sum + cpuSeconds(child), ownSeconds(pid));
};

/** The most that a process had in memory so far, in MiB. */
export const memoryMiB = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
