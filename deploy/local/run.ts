import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { noteStack } from "../../services/ops/stack.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { startApplication } from "./application.ts";
import { countsLine, readCounts } from "./counts.ts";
import { audit, countMails, supersededBy } from "./demo/audit.ts";
import { cast } from "./demo/cast.ts";
import { expectedMails } from "./demo/expected.ts";
import { play } from "./demo/play.ts";
import { script } from "./demo/script.ts";
import { demoSettings, putDemoSettings } from "./demo/settings.ts";
import { endLeftovers, holdFolder } from "./hold.ts";
import { type House, openHouse } from "./house.ts";

/** Milliseconds in which the last expected mail must come. */
const PATIENCE = 90 * SECOND;
const COUNTS_EVERY = 10 * SECOND;
const SEED = 7;

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
  const { log, codec } = house.desk;
  const put = (records: readonly NewRecord[]): Promise<void> => publish(log, codec, records);
  const isKept = options.act !== "once"; // the verdict needs the demo's own settings
  await putDemoSettings({ log, codec }, demoSettings(process.env["NOTIFY_AFTER_SECONDS"]), isKept);
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
  { mailbox, receiver, addresses }: House,
  put: (records: readonly NewRecord[]) => Promise<void>,
  { say, signal }: DemoOptions,
): Promise<number> => {
  const mark = `-${Date.now().toString(36)}`; // people and conversations of earlier runs have other ids
  using mails = countMails(mailbox);
  say("one act of a small chat …");
  const said = await play(script(cast(mark), SEED), put, "one act", signal);
  const expected = await expectedMails(said, demoSettings(process.env["NOTIFY_AFTER_SECONDS"]));
  say(`${said.length} records said; ${expected.length} mails must come …`);
  const { missing, unexpected, repeated } = await audit(
    expected,
    mails.counts,
    () => supersededBy(receiver.deliveries()),
    PATIENCE,
  );
  const counts = await readCounts(addresses.metrics);
  if (counts !== null) say(countsLine(counts));
  const { distinct, repeated: again } = receiver.summary();
  say(
    `mails: ${expected.length} expected, ${missing.length} missing, ${unexpected.length} unexpected, ${repeated.length} repeated`,
  );
  say(`webhooks: ${distinct} received, ${again} repeated`);
  for (const mail of missing) say(`missing: ${mail.notificationId} to ${mail.address}`);
  for (const mail of unexpected) say(`unexpected: ${mail.notificationId} to ${mail.address}`);
  return expected.length > 0 && missing.length + unexpected.length + repeated.length === 0 ? 0 : 1;
};
