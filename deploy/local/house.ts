import { product } from "../../services/domain/topics.ts";
import { join } from "node:path";
import type { Database } from "../../services/platform/contract/database.ts";
import type { CommandDeps } from "../../services/ops/command-deps.ts";
import { endpointsAdd } from "../../services/ops/endpoints.ts";
import type { StackAddresses } from "../../services/ops/stack.ts";
import { avroCodec, registeredIds } from "../../services/platform/adapters/registry/codec.ts";
import { parse } from "../../services/platform/app/config.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { variables as webhookVariables } from "../../services/webhooks/config.ts";
import { listEndpoints } from "../../services/webhooks/endpoints/table.ts";
import { type Mailbox, startMailbox } from "./mailbox/mailbox.ts";
import { ports as portsOf } from "./ports.ts";
import { type Receiver, startReceiver } from "./receiver/receiver.ts";
import { setUp } from "./setup.ts";
import { type Stack, startStack } from "./stack.ts";

/** The surroundings of services on one machine: the stack, a mail server, and an endpoint of webhooks. */
export interface House extends AsyncDisposable {
  readonly mailbox: Mailbox;
  readonly receiver: Receiver;
  readonly database: Database;
  readonly deps: CommandDeps;
  /** The settings of services here. */
  readonly settings: Readonly<Record<string, string>>;
  readonly addresses: StackAddresses;
}

export interface HouseOptions {
  readonly folder: string;
  readonly cacheDir: string;
  readonly say: (line: string) => void;
}

/** Starts the house or finds it as it was; its parts are stopped in reverse order. Throws LocalStackError. */
export const openHouse = async ({ folder, cacheDir, say }: HouseOptions): Promise<House> => {
  await using opening = new AsyncDisposableStack();
  const stack = opening.use(await startStack({ dataDir: folder, cacheDir, environment: process.env, say }));
  await setUp(stack, "", say);
  const database = opening.use(openDatabase(stack.postgres, "whileaway house"));
  const secretFor = async (name: string): Promise<readonly string[]> =>
    (await listEndpoints(database)).filter(({ url }) => url.endsWith(`/hooks/${name}`)).map(({ secret }) => secret);

  const chosen = portsOf(folder, process.env);
  const ports = {
    smtp: await chosen.choose("smtp"),
    mailbox: await chosen.choose("mailbox"),
    receiver: await chosen.choose("receiver"),
    services: await chosen.choose("services"),
  };
  const mailbox = opening.use(
    await startMailbox({ dir: join(folder, "mailbox"), smtpPort: ports.smtp, httpPort: ports.mailbox }),
  );
  const receiver = opening.use(
    await startReceiver({
      dir: join(folder, "receiver"),
      httpPort: ports.receiver,
      secretFor: async (name) => [...(await secretFor(name))],
    }),
  );
  const settings = serviceSettings(stack, mailbox, ports.services);
  await register(database, receiver.url("demo"), settings);
  const log = opening.use(
    openKafka(product, { brokers: stack.kafka.split(","), clientId: "whileaway-house", prefix: "", tls: false }),
  );
  const registry = openRegistry(stack.registry);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, ""));
  const open = opening.move();
  return {
    mailbox,
    receiver,
    database,
    deps: { log, codec },
    settings,
    addresses: addressesOf(stack, mailbox, receiver, ports.services),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
};

/** The receiver is an endpoint like any other. It may be registered since an earlier run. */
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
  // The demo's receiver is on this machine; endpoints elsewhere may not be.
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
