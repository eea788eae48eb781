import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in which Linux counts CPU time (proc(5), `sysconf(_SC_CLK_TCK)`). */
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** The fields of a process in proc(5), from the third on; none where it has ended. */
const statOf = (pid: number): readonly string[] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
};

/** CPU seconds so far of a process, of its threads and of the children that it has waited for. */
const ownSeconds = (pid: number): number =>
  [11, 12, 13, 14].reduce((sum, field) => sum + Number(statOf(pid)[field] ?? 0), 0) / TICKS;

/** The parent of a process. */
export const parentOf = (pid: number): number => Number(statOf(pid)[1] ?? 0);

/** CPU seconds so far of a process and of its descendants that still run. */
export const cpuSeconds = (pid: number): number => {
  const running = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const children = running.filter((other) => parentOf(other) === pid);
  return children.reduce((sum, child) => sum + cpuSeconds(child), ownSeconds(pid));
};

/** Peak memory of a process so far, in MiB. */
export const memoryMiB = (pid: number): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024);
