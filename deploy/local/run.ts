import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { type Millis, MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import { noteStack } from "../../services/ops/stack.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { startApplication } from "./application.ts";
import { countsLine, readCounts } from "./counts.ts";
import { type Audit, audit, countMails, supersededBy } from "./demo/audit.ts";
import { cast } from "./demo/cast.ts";
import { type Expectation, expectationOf, keysOf, recordsOf } from "./demo/expected.ts";
import { play } from "./demo/play.ts";
import { script } from "./demo/script.ts";
import { demoSettings, putDemoSettings } from "./demo/settings.ts";
import { endLeftovers, holdFolder } from "./hold.ts";
import { type House, openHouse } from "./house.ts";

/** Longest wait without any mail, once all has fallen due: not a measure of speed, but a limit for what hangs. */
const PATIENCE: Millis = 5 * MINUTE;
const COUNTS_EVERY = 10 * SECOND;
const SEED = 7;
/** Environment variable: seconds of the role setting `timeout` in the demo. Only `npm start` reads it. */
const TIMEOUT_VARIABLE = "NOTIFY_AFTER_SECONDS";

export interface DemoOptions {
  readonly folder: string;
  readonly cacheDir: string;
  readonly isFresh: boolean;
  /** The play: the endless chat, one act of it with a verdict, or nothing. */
  readonly act: "endless" | "once" | "none";
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Runs the demo until the signal aborts, or once; resolves with the exit code when everything is stopped. */
export const runDemo = async (options: DemoOptions): Promise<number> => {
  await using running = new AsyncDisposableStack();
  const house = await build(options, running);
  const { log, codec } = house.deps;
  const put = (records: readonly NewRecord[]): Promise<void> => publish(log, codec, records);
  const isKept = options.act !== "once"; // the verdict needs the demo's own settings
  await putDemoSettings({ log, codec }, demoSettings(process.env[TIMEOUT_VARIABLE]), isKept);
  return options.act === "once" ? await once(house, put, options) : await live(house, put, options);
};

/** Deletes the data of earlier runs, once no other stack uses it. */
const forget = async (folder: string, say: (line: string) => void): Promise<void> => {
  if (!existsSync(folder)) return;
  using _ = holdFolder(folder);
  await endLeftovers(folder, { say });
  await rm(folder, { recursive: true, force: true });
};

/** The whole demo, with its services ready. */
const build = async (options: DemoOptions, running: AsyncDisposableStack): Promise<House> => {
  const { folder, isFresh, say } = options;
  if (isFresh) await forget(folder, say);
  const house = running.use(await openHouse(options));
  const { addresses, settings } = house;
  const application = running.use(startApplication(folder, { ...process.env, ...settings }, say));
  running.use(noteStack(folder, { addresses, environment: settings }));
  await application.ready();
  return house;
};

const live = async (
  { addresses }: House,
  put: (records: readonly NewRecord[]) => Promise<void>,
  options: DemoOptions,
): Promise<number> => {
  const { say, signal } = options;
  say("");
  say(`mailbox   ${addresses.mailbox}`);
  say(`webhooks  ${addresses.receiver}   (register your own: POST {"url": …} to ${addresses.webhooks})`);
  say(`metrics   ${addresses.metrics}`);
  say("more      npm run -s ops -- stack");
  if (options.act === "endless") say("A small chat is going on; the first mail comes within a minute.");
  say("Ctrl-C stops everything.\n");
  const playing = options.act === "none" ? null : play(script(cast(), Date.now()), put, "endless", signal);
  const counting = tellCounts(addresses.metrics, say, signal);
  await Promise.all([playing, counting]);
  say("stopping");
  return 0;
};

const tellCounts = async (metrics: string, say: (line: string) => void, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await delay(COUNTS_EVERY, undefined, { signal }).catch(() => undefined); // aborted: the wait ends like any other
    const counts = signal.aborted ? null : await readCounts(metrics);
    if (counts !== null) say(countsLine(counts));
  }
};

const once = async (
  { mailbox, receiver, addresses, deps }: House,
  put: (records: readonly NewRecord[]) => Promise<void>,
  { say, signal }: DemoOptions,
): Promise<number> => {
  const mark = `-${Date.now().toString(36)}`; // people and conversations of earlier runs have other ids
  const players = cast(mark);
  using mails = countMails(mailbox);
  say("one act of a small chat …");
  const act = await play(script(players, SEED), put, "one act", signal);
  const keys = keysOf(players);
  const records = await recordsOf(deps, keys);
  const lost = act.records - records.filter(({ key }) => keys.has(key)).length;
  if (lost > 0) say(`records: ${lost} of ${act.records} are not on the log`);
  const expectation = expectationOf(records, act, demoSettings(process.env[TIMEOUT_VARIABLE]));
  say(`${act.records} records said; ${expectation.required.length} mails must come …`);
  const addressed = new Set(players.people.flatMap(({ emails }) => emails ?? []));
  const arrivals = {
    counts: mails.counts,
    superseded: () => supersededBy(receiver.deliveries()),
    isOurs: (address: string) => addressed.has(address),
  };
  const found = await audit(expectation, arrivals, PATIENCE, signal);
  const counts = await readCounts(addresses.metrics);
  if (counts !== null) say(countsLine(counts));
  const isRight = tellAudit(expectation, found, say);
  const { distinct, repeated: again } = receiver.summary();
  say(`webhooks: ${distinct} received, ${again} repeated`);
  if (signal.aborted) say("stopped before the end: no verdict");
  return isRight && lost <= 0 && !signal.aborted ? 0 : 1;
};

/** Says how the mails stand, and if they are as they must be. */
const tellAudit = (
  { required }: Expectation,
  { missing, superseded, unexpected, repeated }: Audit,
  say: (line: string) => void,
): boolean => {
  const off = { missing, unexpected, repeated };
  const figures = Object.entries(off).map(([kind, mails]) => `${mails.length} ${kind}`);
  say(`mails: ${required.length} expected, ${figures.join(", ")}`);
  if (superseded.length > 0) say(`mails: ${superseded.length} of the expected were read before they could be sent`);
  for (const [kind, mails] of Object.entries(off))
    for (const { notificationId, address } of mails) say(`${kind}: ${notificationId} to ${address}`);
  return required.length > 0 && missing.length + unexpected.length + repeated.length === 0;
};
