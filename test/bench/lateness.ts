import { setTimeout as delay } from "node:timers/promises";
import { HOUR, type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { readWhole } from "../../services/ops/read.ts";
import { decide, readyFor, recordsOn, type Site } from "./deciders.ts";
import { inWords, type Spread, spreadOf } from "./figures.ts";
import { memoryMiB } from "./machine.ts";
import { readerOf, wait } from "./waiting.ts";

/** Seconds. */
const TIMEOUT = 30;
/** When the load begins, after all of it is in the store: services start meanwhile. */
const LEAD: Millis = 30 * SECOND;
/** Seconds of the load that aren't measured: what is compiled and connected then. */
const WARM_UP = 5;
/** When those are due who only wait: not before the load is over. */
const LATER: Millis = 6 * HOUR;

export interface Load {
  /** Users who have something pending that isn't due. */
  readonly pending: number;
  /** Users who are due each second, and for how many seconds. */
  readonly rate: number;
  readonly seconds: number;
}

export interface Lateness extends Load {
  /** Milliseconds from when it was due to the timestamp of its TRIGGERED. */
  readonly late: Spread;
  readonly memoryMiB: number;
}

/** How late notifications are whose time has come, with so many waiting beside them. */
export const lateness = async (site: Site, { pending, rate, seconds }: Load): Promise<Lateness> => {
  const { desk, database } = site.house;
  const place = await readyFor(site, TIMEOUT);
  const later = Date.now() + LATER;
  await wait(place, 0, pending, (index) => later + index, ["inboxes"]);
  await database.query("vacuum analyze state_inboxes");
  site.tell(`${pending} users wait`);

  const count = rate * (WARM_UP + seconds);
  // Each row takes a while to be saved: the first is due when all are.
  const begin = Date.now() + LEAD + count;
  const dueAt = (index: number): Millis => begin + Math.floor(((index - pending) * SECOND) / rate);
  await wait(place, pending, count, (index) => dueAt(index) - TIMEOUT * SECOND);
  site.tell(`${count} will be due from ${new Date(begin).toISOString()} on`);
  await using application = await decide(site);
  if (Date.now() > begin) throw new Error("the load began before the services were ready");
  while ((await recordsOn(site.house, "notifications")) < count) await delay(SECOND);

  const late: number[] = [];
  const due = new Map<string, Millis>();
  for (let index = pending + rate * WARM_UP; index < pending + count; index++) due.set(readerOf(index), dueAt(index));
  for await (const { key, loggedAt: timestamp } of readWhole(desk, "notifications")) {
    const expected = due.get(key);
    if (expected !== undefined) late.push(timestamp - expected);
  }
  return { pending, rate, seconds, late: spreadOf(late), memoryMiB: memoryMiB(application.pid() ?? 0) };
};

export const latenessLine = ({ pending, rate, late, memoryMiB: memory }: Lateness): string =>
  `${pending} pending, ${late.count} due at ${rate} a second: ${inWords(late)} late; ${memory} MiB`;
