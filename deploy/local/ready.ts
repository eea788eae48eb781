import { setTimeout as pause } from "node:timers/promises";
import { LocalStackError } from "./errors.ts";
import type { Child } from "./child.ts";

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

/** Waits for a child to be ready. Throws with the end of its log when it dies first or takes too long. */
export async function untilReady(child: Child, fact: () => Promise<boolean>, limitMs: number): Promise<void> {
  const ready = await until(async () => child.ended() !== undefined || (await fact()), limitMs);
  const ended = child.ended();
  if (ended !== undefined) throw new LocalStackError(`${child.name} ended while starting (${ended})\n${child.tail()}`);
  if (!ready) throw new LocalStackError(`${child.name} was not ready after ${limitMs / 1000} s\n${child.tail()}`);
}
