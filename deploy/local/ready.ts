import { setTimeout as pause } from "node:timers/promises";

const STEP_MS = 50;

/** Asks until the answer is yes; false when the time is over. */
export async function until(fact: () => Promise<boolean>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await fact())) {
    if (performance.now() > end) return false;
    await pause(STEP_MS);
  }
  return true;
}
