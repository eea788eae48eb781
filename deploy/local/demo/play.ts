import { setTimeout as delay } from "node:timers/promises";
import type { NewRecord } from "../../../services/domain/log-record.ts";
import type { Millis } from "../../../services/platform/contract/time.ts";
import { type Script, TICK } from "./script.ts";

/** Ticks of a run that ends by itself. */
const TICKS_OF_ONE_ACT = 12;

/** Plays the script's opening and its ticks at their times until the signal aborts, or for one act; returns all that was said. */
export const play = async (
  script: Script,
  publish: (records: readonly NewRecord[]) => Promise<void>,
  length: "endless" | "one act",
  signal: AbortSignal,
): Promise<readonly NewRecord[]> => {
  const all: NewRecord[] = [];
  const put = async (records: readonly NewRecord[]): Promise<void> => {
    if (length === "one act") all.push(...records);
    // At one time presence comes before messages: whoever reads the log as it grows meets them in that order, too.
    const messages = records.filter(({ topic }) => topic === "messages");
    await publish(records.filter(({ topic }) => topic !== "messages"));
    await publish(messages);
  };
  let at = Math.floor(Date.now() / TICK) * TICK;
  await put(script.opening(at));
  const ticks = length === "endless" ? Infinity : TICKS_OF_ONE_ACT;
  for (let tick = 1; !signal.aborted && tick <= ticks; tick++) {
    at = await nextTick(at, signal);
    if (!signal.aborted) await put(script.tick(at));
  }
  if (!signal.aborted) await put(script.closing(await nextTick(at, signal)));
  return all;
};

/** The next tick that is not over: a machine that stalls leaves ticks out, and never tells of a past as if it were now. */
const nextTick = async (last: Millis, signal: AbortSignal): Promise<Millis> => {
  const now = Date.now();
  const at = Math.max(last + TICK, Math.floor(now / TICK) * TICK);
  try {
    if (at > now) await delay(at - now, undefined, { signal });
  } catch {
    // aborted: the caller sees that
  }
  return at;
};
