import { setTimeout as delay } from "node:timers/promises";
import { HOUR, type Millis, SECOND } from "../../services/platform/contract/time.ts";
import { readWhole } from "../../services/ops/read.ts";
import { decide, readyFor, recordsOn, type Site } from "./deciders.ts";
import { inWords, type Spread, spreadOf } from "./figures.ts";
import { memoryMiB } from "./machine.ts";
import { readerOf, wait } from "./waiting.ts";

/** The timeout, in seconds. */
const TIMEOUT = 30;
/** Milliseconds until the load begins, after its rows are in the store: services start meanwhile. */
const LEAD: Millis = 30 * SECOND;
/** Seconds of the load that are not measured, while code is compiled and connections open. */
const WARM_UP = 5;
/** Time at which users who only wait are due: after the load is over. */
const LATER: Millis = 6 * HOUR;

export interface Load {
  /** Users with a pending timer that isn't due. */
  readonly pending: number;
  /** Users who are due each second, and the number of seconds. */
  readonly rate: number;
  readonly seconds: number;
}

export interface Lateness extends Load {
  /** Milliseconds from the due time to the timestamp of the TRIGGERED event. */
  readonly late: Spread;
  readonly memoryMiB: number;
}

/** Measures the lateness of notifications that are due, with so many others waiting beside them. */
export const lateness = async (site: Site, { pending, rate, seconds }: Load): Promise<Lateness> => {
  const { deps, database } = site.house;
  const place = await readyFor(site, TIMEOUT);
  const later = Date.now() + LATER;
  await wait(place, 0, pending, (index) => later + index, ["inboxes"]);
  await database.query("vacuum analyze state_inboxes");
  site.tell(`${pending} users wait`);

  const count = rate * (WARM_UP + seconds);
  // Saving takes a while for each row: the first is due when all are saved.
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
  for await (const { key, loggedAt: timestamp } of readWhole(deps, "notifications")) {
    const expected = due.get(key);
    if (expected !== undefined) late.push(timestamp - expected);
  }
  return { pending, rate, seconds, late: spreadOf(late), memoryMiB: memoryMiB(application.pid() ?? 0) };
};

export const latenessLine = ({ pending, rate, late, memoryMiB: memory }: Lateness): string =>
  `${pending} pending, ${late.count} due at ${rate} a second: ${inWords(late)} late; ${memory} MiB`;
