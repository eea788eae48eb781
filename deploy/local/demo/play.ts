import { setTimeout as delay } from "node:timers/promises";
import type { LogRecord, NewRecord } from "../../../services/domain/log-record.ts";
import type { Millis } from "../../../services/platform/contract/time.ts";
import { type Script, TICK } from "./script.ts";

/** Ticks of a run that ends by itself. */
const TICKS_OF_ONE_ACT = 12;

/** The clock and the timer of a play. */
export interface PlayClock {
  now(): Millis;
  /** Resolves after about so many milliseconds. Rejects if the signal aborts. */
  wait(time: Millis, signal: AbortSignal): Promise<void>;
}

const realClock: PlayClock = {
  now: () => Date.now(),
  wait: (time, signal) => delay(time, undefined, { signal }),
};

/** An act that has been published. */
export interface Act {
  readonly records: number;
  /** Tells by when the log had acknowledged a record of the act. */
  acknowledged(record: LogRecord): Millis;
}

/** Plays the script's opening and its ticks at their times until the signal aborts, or for one act. */
export const play = async (
  script: Script,
  publish: (records: readonly NewRecord[]) => Promise<void>,
  length: "endless" | "one act",
  signal: AbortSignal,
  clock: PlayClock = realClock,
): Promise<Act> => {
  const acknowledged = new Map<string, Millis>();
  let count = 0;
  const put = async (records: readonly NewRecord[]): Promise<void> => {
    const [first] = records;
    if (first === undefined) return;
    await publish(records);
    if (length === "one act") acknowledged.set(batchOf(first), clock.now());
    count += records.length;
  };
  const putAll = async (records: readonly NewRecord[]): Promise<void> => {
    // At one time presence comes before messages: whoever reads the log as it grows meets them in that order, too.
    await put(records.filter(({ topic }) => topic !== "messages"));
    await put(records.filter(({ topic }) => topic === "messages"));
  };
  let at = Math.floor(clock.now() / TICK) * TICK;
  await putAll(script.opening(at));
  const ticks = length === "endless" ? Infinity : TICKS_OF_ONE_ACT;
  for (let tick = 1; !signal.aborted && tick <= ticks; tick++) {
    at = await nextTick(at, clock, signal);
    if (!signal.aborted) await putAll(script.tick(at));
  }
  if (!signal.aborted) await putAll(script.closing(await nextTick(at, clock, signal)));
  return { records: count, acknowledged: (record) => acknowledged.get(batchOf(record)) ?? record.loggedAt };
};

/** Names the records that are published together. */
const batchOf = ({ topic, value }: Pick<NewRecord, "topic" | "value">): string => {
  const time = value !== null && "occurredAt" in value ? value.occurredAt : "";
  return `${topic === "messages" ? "messages" : "others"} ${time}`;
};

/** The next tick that is not over: a machine that stalls leaves ticks out, and never tells of a past as if it were now. */
const nextTick = async (last: Millis, clock: PlayClock, signal: AbortSignal): Promise<Millis> => {
  const now = clock.now();
  const at = Math.max(last + TICK, Math.floor(now / TICK) * TICK);
  try {
    if (at > now) await clock.wait(at - now, signal);
  } catch {
    // aborted: the caller sees that
  }
  return at;
};
