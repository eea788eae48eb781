import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "../../services/core/time.ts";
import { endpointsAdd } from "../../services/ops/endpoints.ts";
import { noteStack, type StackAddresses } from "../../services/ops/stack.ts";
import { avroCodec, registeredIds } from "../../services/runtime/codec.ts";
import { parse } from "../../services/runtime/config.ts";
import { openKafka } from "../../services/runtime/kafka.ts";
import { type Database, openDatabase } from "../../services/runtime/postgres.ts";
import { type Said, say as publish } from "../../services/runtime/producer.ts";
import { openRegistry } from "../../services/runtime/registry.ts";
import { variables as webhookVariables } from "../../services/webhooks/config.ts";
import { listEndpoints } from "../../services/webhooks/endpoints.ts";
import { type Application, startApplication } from "./application.ts";
import { countsLine, readCounts } from "./counts.ts";
import { audit, countMails, supersededBy } from "./demo/audit.ts";
import { cast } from "./demo/cast.ts";
import { expectedMails } from "./demo/expected.ts";
import { play } from "./demo/play.ts";
import { script } from "./demo/script.ts";
import { demoSettings, putDemoSettings } from "./demo/settings.ts";
import { endLeftovers, holdFolder } from "./hold.ts";
import { type Mailbox, startMailbox } from "./mailbox/mailbox.ts";
import { ports as portsOf } from "./ports.ts";
import { type Receiver, startReceiver } from "./receiver/receiver.ts";
import { setUp } from "./setup.ts";
import { type Stack, startStack } from "./stack.ts";

/** Milliseconds in which the last expected mail must come. */
const PATIENCE = 90 * SECOND;
const COUNTS_EVERY = 10 * SECOND;
const SEED = 7;

export interface DemoOptions {
  readonly folder: string;
  readonly cacheDir: string;
  readonly isFresh: boolean;
  /** What is played: the endless chat, one act of it with a verdict, or nothing. */
  readonly act: "endless" | "once" | "none";
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What runs, and what the demo needs of it. */
interface House {
  readonly stack: Stack;
  readonly mailbox: Mailbox;
  readonly receiver: Receiver;
  readonly application: Application;
  readonly addresses: StackAddresses;
}

/** Runs the demo until the signal aborts, or once; resolves with the exit code when everything is stopped. */
export const runDemo = async (options: DemoOptions): Promise<number> => {
  await using running = new AsyncDisposableStack();
  const house = await build(options, running);
  const { kafka, registry } = house.stack;
  const log = running.use(openKafka({ brokers: kafka.split(","), clientId: "whileaway-demo", prefix: "", tls: false }));
  const codec = avroCodec(openRegistry(registry), await registeredIds(openRegistry(registry), ""));
  const put = (records: readonly Said[]): Promise<void> => publish(log, codec, records);
  const isKept = options.act !== "once"; // the verdict is by the demo's own settings
  await putDemoSettings({ log, codec }, demoSettings(process.env["NOTIFY_AFTER_SECONDS"]), isKept);
  return options.act === "once" ? await once(house, put, options) : await live(house, put, options);
};

/** Takes the data of earlier runs away; not from under one that runs, or is just ending. */
const forget = async (folder: string, say: (line: string) => void): Promise<void> => {
  if (!existsSync(folder)) return;
  using _ = holdFolder(folder);
  await endLeftovers(folder, { say });
  await rm(folder, { recursive: true, force: true });
};

const build = async (options: DemoOptions, running: AsyncDisposableStack): Promise<House> => {
  const { folder, cacheDir, isFresh, say } = options;
  if (isFresh) await forget(folder, say);
  const environment = process.env;
  const stack = running.use(await startStack({ dataDir: folder, cacheDir, environment, say }));
  await setUp(stack, "", say);
  const database = running.use(openDatabase(stack.postgres, "whileaway demo"));
  const secretFor = async (name: string): Promise<readonly string[]> =>
    (await listEndpoints(database)).filter(({ url }) => url.endsWith(`/hooks/${name}`)).map(({ secret }) => secret);

  const chosen = portsOf(folder, process.env);
  const ports = {
    smtp: await chosen.choose("smtp"),
    mailbox: await chosen.choose("mailbox"),
    receiver: await chosen.choose("receiver"),
    services: await chosen.choose("services"),
  };
  const mailbox = running.use(
    await startMailbox({ dir: join(folder, "mailbox"), smtpPort: ports.smtp, httpPort: ports.mailbox }),
  );
  const receiver = running.use(
    await startReceiver({
      dir: join(folder, "receiver"),
      httpPort: ports.receiver,
      secretFor: async (name) => [...(await secretFor(name))],
    }),
  );
  const settings = serviceSettings(stack, mailbox, ports.services);
  await register(database, receiver.url("demo"), settings);
  const application = running.use(startApplication(folder, { ...process.env, ...settings }, say));
  const addresses = addressesOf(stack, mailbox, receiver, ports.services);
  running.use(noteStack(folder, { addresses, environment: settings }));
  await application.ready();
  return { stack, mailbox, receiver, application, addresses };
};

/** The demo's receiver is an endpoint like any other; it has been since an earlier run, perhaps. */
const register = async (
  database: Database,
  url: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> => {
  if ((await listEndpoints(database)).some((endpoint) => endpoint.url === url)) return;
  const settings = parse(webhookVariables, environment);
  const added = await endpointsAdd(database, { url, description: "the demo's receiver", settings });
  if ("refused" in added) throw new Error(`the demo's receiver is refused: ${added.refused}`);
};

const serviceSettings = (stack: Stack, mailbox: Mailbox, port: number): Readonly<Record<string, string>> => ({
  KAFKA_BROKERS: stack.kafka,
  SCHEMA_REGISTRY_URL: stack.registry,
  DATABASE_URL: stack.postgres,
  SMTP_URL: process.env["SMTP_URL"] ?? mailbox.smtp,
  MAIL_FROM: process.env["MAIL_FROM"] ?? "Demo chat <chat@whileaway.example>",
  JOIN_URL: process.env["JOIN_URL"] ?? "https://chat.example/c/{conversationId}",
  // The demo's receiver is on this machine; nowhere else is that allowed.
  WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8,::1/128",
  WEBHOOKS_OPEN: "local",
  HTTP_HOST: "127.0.0.1",
  HTTP_PORT: String(port),
});

const addressesOf = (stack: Stack, mailbox: Mailbox, receiver: Receiver, port: number): StackAddresses => ({
  kafka: stack.kafka,
  registry: stack.registry,
  postgres: stack.postgres,
  smtp: process.env["SMTP_URL"] ?? mailbox.smtp,
  mailbox: mailbox.page,
  webhooks: `http://127.0.0.1:${port}/webhooks/endpoints`,
  receiver: receiver.page,
  metrics: `http://127.0.0.1:${port}/metrics`,
});

const live = async (
  { addresses }: House,
  put: (records: readonly Said[]) => Promise<void>,
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
    await delay(COUNTS_EVERY, undefined, { signal }).catch(() => undefined); // aborted: an end of waiting like another
    const counts = signal.aborted ? null : await readCounts(metrics);
    if (counts !== null) say(countsLine(counts));
  }
};

const once = async (
  { mailbox, receiver, addresses }: House,
  put: (records: readonly Said[]) => Promise<void>,
  { say, signal }: DemoOptions,
): Promise<number> => {
  const mark = `-${Date.now().toString(36)}`; // earlier runs' people and conversations are not this one's
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
