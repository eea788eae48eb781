import { setTimeout as delay } from "node:timers/promises";
import { databaseClock } from "../adapters/postgres/clock.ts";
import { openDatabase } from "../adapters/postgres/database.ts";
import { checkSchema } from "../adapters/postgres/migrations.ts";
import { postgresStore } from "../adapters/postgres/store.ts";
import type { KafkaSettings } from "../adapters/kafka/client.ts";
import { openKafka } from "../adapters/kafka/log.ts";
import { avroCodec, registeredIds } from "../adapters/registry/codec.ts";
import { openRegistry } from "../adapters/registry/registry.ts";
import type { Database } from "../contract/database.ts";
import { Fatal, messageOf, Transient } from "../contract/failure.ts";
import type { Product } from "../contract/topic.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { worker } from "../engine/jobs/worker.ts";
import { relay } from "../engine/output/relay.ts";
import { everySecond, flowWatermark, hasReached, topicWatermark } from "../engine/time/flow-watermark.ts";
import type { World } from "../engine/world.ts";
import { announce } from "../runtime/facts.ts";
import { loop, type Steps } from "../runtime/loop.ts";
import { weighBuffersWithHeap } from "../runtime/memory-limits.ts";
import { rowLookup } from "../runtime/row-lookup.ts";
import { wakeups } from "../runtime/wakeups.ts";
import { masked, parse, type Settings, type Variables } from "./config.ts";
import { type HttpServer, openHttp } from "./http.ts";
import { logFacts, type Logger, openLog } from "./log.ts";
import { openMetrics } from "./metrics.ts";
import type { Root, Service } from "./service.ts";
import { commonVariables } from "./variables.ts";

/** Exit codes: 0 stopped when asked to, 1 failed, 2 wrongly configured. */
const FAILED = 1;
const MISCONFIGURED = 2;
/** Milliseconds in which Kafka, PostgreSQL and the registry must answer at the start. */
const START_PATIENCE = 60_000;
/** Milliseconds that work under way has when asked to stop; what runs longer is aborted and leased again later. */
const DRAIN_PATIENCE = 20_000;

export type CommonSettings = Settings<typeof commonVariables>;

/** How to reach Kafka, as the settings say it. */
export const kafkaSettings = (settings: CommonSettings, clientId: string): KafkaSettings => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (mechanism !== undefined && (username === undefined || password === undefined))
    throw new Fatal("KAFKA_SASL_MECHANISM is set, so KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be");
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId,
    prefix: settings.TOPIC_PREFIX,
    tls: settings.KAFKA_TLS === "true",
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username: username ?? "", password: password ?? "" } }),
  };
};

/** The door of every service: reads the environment, starts the services, stops them at SIGTERM or SIGINT, exits. */
export const serve = async (product: Product, services: readonly Service[]): Promise<void> => {
  weighBuffersWithHeap();
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  const name = services.length === 1 ? (services[0]?.name ?? "") : "whileaway";
  try {
    process.exitCode = await run(product, name, services, process.env, stop.signal);
  } catch (error) {
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    process.exitCode = MISCONFIGURED;
  }
  // Everything is closed; a connection that a library still holds open must not keep the process.
  setTimeout(() => process.exit(), 1_000).unref();
};

/** Runs services until the signal aborts or a part of them fails. Resolves with the exit code. Throws Fatal at once where the settings are wrong. */
export const run = async (
  product: Product,
  name: string,
  services: readonly Service[],
  environment: Readonly<Record<string, string | undefined>>,
  stop: AbortSignal,
): Promise<number> => {
  const own: Variables = Object.assign({}, ...services.map((service) => service.variables));
  const variables = { ...own, ...commonVariables };
  const settings = parse(variables, environment);
  const log = openLog(settings.LOG_LEVEL, name);
  await using stack = new AsyncDisposableStack();
  stack.use(logFacts(log));
  log.info({ settings: masked(variables, settings) }, "starting");
  try {
    await runParts(product, name, services, settings, log, stack, stop);
    log.info("stopped");
    return 0;
  } catch (error) {
    if (stop.aborted && !(error instanceof Fatal)) return 0;
    log.error({ error: messageOf(error) }, "stopped by a failure");
    return FAILED;
  }
};

const runParts = async (
  product: Product,
  name: string,
  services: readonly Service[],
  settings: CommonSettings & Settings<Variables>,
  log: Logger,
  stack: AsyncDisposableStack,
  stop: AbortSignal,
): Promise<void> => {
  const metrics = stack.use(openMetrics(product.counters));
  const database = stack.use(openDatabase(settings.DATABASE_URL, `whileaway ${name}`));
  await patiently(log, stop, () => checkSchema(database));
  const world = await openWorld(product, name, settings, database, log, stack, stop);
  log.debug("connected");

  const missing = new Set(["start"]);
  const http = openHttp(() => [...missing], metrics);
  stack.defer(() => http.close());
  const parts = collect(world, database, http, stack);
  for (const service of services) await service.start(parts.root, settings);
  await http.listen({ host: settings.HTTP_HOST, port: settings.HTTP_PORT });
  log.info({ addresses: http.addresses() }, "listening");

  await runLoops(parts, world, log, stack, stop, () => missing.delete("start"));
};

const openWorld = async (
  product: Product,
  name: string,
  settings: CommonSettings,
  database: Database,
  log: Logger,
  stack: AsyncDisposableStack,
  stop: AbortSignal,
): Promise<World> => {
  const registry = openRegistry(settings.SCHEMA_REGISTRY_URL);
  const ids = await patiently(log, stop, () => registeredIds(product, registry, settings.TOPIC_PREFIX));
  const clock = stack.use(await patiently(log, stop, () => databaseClock(database)));
  const kafka = stack.use(openKafka(product, kafkaSettings(settings, `whileaway-${name}`), clock));
  await patiently(log, stop, () => kafka.describe());
  const store = postgresStore(database);
  const codec = avroCodec(product, registry, ids);
  return { product, log: kafka, store, codec, clock, relay: relay(kafka, store), wakeups: wakeups() };
};

/** The parts that services ask the root to run. */
interface Parts {
  readonly root: Root;
  readonly engines: (() => ReturnType<typeof startEngine>)[];
  readonly workers: ReturnType<typeof worker>[];
}

const collect = (world: World, database: Database, http: HttpServer, stack: AsyncDisposableStack): Parts => {
  const engines: Parts["engines"] = [];
  const workers: Parts["workers"] = [];
  const root: Root = {
    ...world,
    database,
    http,
    lookUp: rowLookup(world.log, world.store),
    flowWatermark: async (stages, to) => everySecond(await flowWatermark(stages, to, world), world.clock),
    hasFolded: async (processor, topic) => hasReached(await topicWatermark(processor, topic, world)),
    process: (processor, ...given) => void engines.push(() => startEngine(processor, world, ...given)),
    work: (work) => void workers.push(worker(work, world)),
    own: (part) => void stack.use(part),
  };
  return { root, engines, workers };
};

/**
 * Starts the loops and waits for the end. Stopping goes by what feeds what: the engines end their step and leave their
 * groups, the workers settle what is under way, and the relay publishes what both left.
 */
const runLoops = async (
  { engines, workers }: Parts,
  world: World,
  log: Logger,
  stack: AsyncDisposableStack,
  stop: AbortSignal,
  onStarted: () => void,
): Promise<void> => {
  const intake = new AbortController();
  const outlet = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // it is waited for below, after the start
  const start = (steps: Steps, signal: AbortSignal): Promise<void> => {
    const running = loop(steps, world.clock, signal);
    running.catch(failure.reject);
    return running;
  };
  const relaying = start({ name: "relay", ...world.relay, nextDue: () => null }, outlet.signal);
  const started: Engine[] = [];
  const joined = stack.use(new AsyncDisposableStack());
  for (const join of engines) started.push(joined.use(await patiently(log, stop, join)));
  const running = [...started, ...workers].map((steps) => start(steps, intake.signal));
  onStarted();
  log.info("ready");

  try {
    await Promise.race([
      failure.promise,
      new Promise<void>((resolve) => {
        if (stop.aborted) resolve();
        stop.addEventListener("abort", () => resolve());
      }),
    ]);
  } finally {
    intake.abort();
    await Promise.allSettled(running);
    await joined.disposeAsync(); // others take the lanes over while the work here drains
    await Promise.all(workers.map((one) => one.drain(AbortSignal.timeout(DRAIN_PATIENCE))));
    outlet.abort();
    await Promise.allSettled([relaying]);
    await flush(world);
  }
};

/** Publishes what the relay still holds; what it can't now is in the store for the next start. */
const flush = async ({ relay: last }: World): Promise<void> => {
  try {
    while (await last.step());
  } catch (error) {
    if (!(error instanceof Transient)) throw error;
  }
};

/** At the start the world may still be starting too. */
const patiently = async <T>(log: Logger, stop: AbortSignal, ask: () => Promise<T>): Promise<T> => {
  const until = performance.now() + START_PATIENCE;
  for (;;) {
    stop.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Transient) || performance.now() > until || stop.aborted) throw error;
      announce("stumbled", { loop: "start", error, wait: 1_000 });
      await delay(1_000, undefined, { signal: stop });
    }
  }
};
