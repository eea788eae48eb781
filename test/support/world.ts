import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, inject } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import type { Database } from "../../services/platform/contract/database.ts";
import { type Mailbox, startMailbox } from "../../deploy/local/mailbox/mailbox.ts";
import { type Receiver, startReceiver } from "../../deploy/local/receiver/receiver.ts";
import { all } from "../../services/all.ts";
import { endpointsAdd } from "../../services/ops/endpoints.ts";
import { avroCodec, registeredIds } from "../../services/platform/adapters/registry/codec.ts";
import { parse } from "../../services/platform/app/config.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import type { KafkaLog } from "../../services/platform/adapters/kafka/client.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { run } from "../../services/platform/app/serve.ts";
import type { Service } from "../../services/platform/app/service.ts";
import { ensureTopics } from "../../services/platform/app/ensure-topics.ts";
import type { Codec } from "../../services/platform/contract/ports.ts";
import type { SettingsFields } from "../../services/domain/role-settings.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import { type TopicId, product } from "../../services/domain/topics.ts";
import { variables as webhookVariables } from "../../services/webhooks/config.ts";
import { settingsSaid } from "./settings.ts";
import { TEMPLATE } from "./stack.ts";

/** Partitions of a test's topics: more than one, so that keys are spread. */
export const PARTITIONS = 2;
/** Milliseconds between two looks for a fact. The only other limit is the test's own. */
const LOOK_EVERY = 25;

/** kafkajs takes a timestamp of 0 for none. */
export const SINCE_EVER: Millis = 1;

// Everything that a file's tests made is removed at the end of the file.
const made = new AsyncDisposableStack();
afterAll(() => made.disposeAsync());

/** Resolves when the assertion holds: a wait for a fact. The test's time limit ends it, with the failed assertion. */
export const eventually = async (assertion: () => void | Promise<void>, signal?: AbortSignal): Promise<void> => {
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (signal?.aborted) throw error;
      await delay(LOOK_EVERY);
    }
  }
};

/** The address of a migrated database of this file's own. */
export const databaseAddress = async (): Promise<string> => {
  const server = inject("postgres");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const admin = openDatabase(server, "tests");
  await admin.query(`create database ${name} template ${TEMPLATE}`);
  made.defer(async () => {
    await admin.query(`drop database ${name} with (force)`);
    await admin[Symbol.asyncDispose]();
  });
  const address = new URL(server);
  address.pathname = `/${name}`;
  return address.href;
};

/** A migrated database of this file's own. */
export const database = async (): Promise<Database> => made.use(openDatabase(await databaseAddress(), "tests"));

/** Topics and schemas of a test's own. */
export interface TestLog {
  readonly log: KafkaLog;
  readonly codec: Codec;
  readonly prefix: string;
  publish(...records: readonly NewRecord[]): Promise<void>;
}

/** The cluster of a test's topics. */
interface Cluster {
  readonly address: string;
  readonly replication: number;
}

/**
 * @param unlike topics with another number of partitions than PARTITIONS, as a chat product may have made them
 * @param cluster a cluster instead of the one that all tests share
 */
export const testLog = async (
  unlike: Partial<Record<TopicId, number>> = {},
  { address, replication }: Cluster = { address: inject("kafka"), replication: 1 },
): Promise<TestLog> => {
  const prefix = `t${randomUUID().slice(0, 8)}.`;
  const registry = openRegistry(inject("registry"));
  const log = made.use(openKafka(product, { brokers: address.split(","), clientId: "tests", prefix, tls: false }));
  const others = Object.entries(unlike) as [TopicId, number][];
  if (others.length > 0)
    await log.create(others.map(([topic, partitions]) => ({ topic, partitions, replication, config: {} })));
  await ensureTopics(product, log, registry, prefix, PARTITIONS, replication);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, prefix));
  return { log, codec, prefix, publish: (...records) => publish(log, codec, records) };
};

/** A folder that is removed after the tests. */
export const folder = (): string => {
  const made1 = mkdtempSync(join(tmpdir(), "whileaway-test-"));
  made.defer(() => rmSync(made1, { recursive: true, force: true }));
  return made1;
};

/** A whole installation: topics, database, and a mail server and a webhook receiver in place of the world outside. */
export interface World extends TestLog {
  readonly database: Database;
  readonly mailbox: Mailbox;
  readonly receiver: Receiver;
  /** The settings of the services. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs services in this process until disposed of; their exit code must then be 0. */
  serve(services?: readonly Service[]): AsyncDisposable;
}

/**
 * @param more settings of services, on top of the usual ones; a DATABASE_URL is of a migrated database
 * @param settings of the default role since ever; absent fields are those of `plain`
 * @param cluster a cluster instead of the one that all tests share
 */
export const world = async (
  more: Readonly<Record<string, string>> = {},
  settings: Partial<SettingsFields> = {},
  cluster?: Cluster,
): Promise<World> => {
  const [logs, address] = await Promise.all([testLog({}, cluster), more["DATABASE_URL"] ?? databaseAddress()]);
  const own = made.use(openDatabase(address, "tests"));
  const secrets: string[] = [];
  const mailbox = made.use(await startMailbox({ dir: folder(), smtpPort: 0, httpPort: 0 }));
  const receiver = made.use(await startReceiver({ dir: folder(), httpPort: 0, secretFor: () => secrets }));
  const environment = {
    KAFKA_BROKERS: cluster?.address ?? inject("kafka"),
    SCHEMA_REGISTRY_URL: inject("registry"),
    DATABASE_URL: address,
    TOPIC_PREFIX: logs.prefix,
    SMTP_URL: mailbox.smtp,
    MAIL_FROM: "Chat <chat@whileaway.example>",
    JOIN_URL: "https://chat.example/c/{conversationId}",
    WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
    HTTP_PORT: "0",
    LOG_LEVEL: "warn",
    ...more,
  };
  const added = await endpointsAdd(own, {
    url: receiver.url("tests"),
    settings: parse(webhookVariables, environment),
  });
  if ("refused" in added) throw new Error(added.refused);
  secrets.push(added.secret ?? "");
  await logs.publish(settingsSaid(settings, SINCE_EVER));
  return {
    ...logs,
    database: own,
    mailbox,
    receiver,
    environment,
    serve: (services = all) => served(services, environment),
  };
};

const served = (services: readonly Service[], environment: Readonly<Record<string, string>>): AsyncDisposable => {
  const stop = new AbortController();
  const running = run(product, "tests", services, environment, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      expect(await running).toBe(0);
    },
  };
};
