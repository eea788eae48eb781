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

/** Exit codes beside 0, stopped by a signal: 1 failed, 2 wrongly configured. */
const FAILED = 1;
const MISCONFIGURED = 2;
/** Milliseconds within which Kafka, PostgreSQL and the registry must answer at the start. */
const START_PATIENCE = 60_000;
/** Milliseconds that attempts under way have at the stop. An attempt that takes longer is aborted, and leased again later. */
const DRAIN_PATIENCE = 20_000;

export type CommonSettings = Settings<typeof commonVariables>;

/** Takes the settings for Kafka out of the common settings. Throws Fatal where the SASL settings are incomplete. */
export const kafkaSettings = (settings: CommonSettings, clientId: string): KafkaSettings => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (mechanism !== undefined && (username === undefined || password === undefined))
    throw new Fatal("KAFKA_SASL_MECHANISM is set: set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, too");
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId,
    prefix: settings.TOPIC_PREFIX,
    tls: settings.KAFKA_TLS === "true",
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username: username ?? "", password: password ?? "" } }),
  };
};

/** Serves services: reads the environment, starts them, stops them at SIGTERM or SIGINT, and exits. */
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
  // Everything is closed. A connection that a library still holds open must not keep the process alive.
  setTimeout(() => process.exit(), 1_000).unref();
};

/** A process that runs services: its settings, log and parts, and the signal that stops it. */
interface Running {
  readonly product: Product;
  /** Name of the service, or of the program where it runs several. */
  readonly name: string;
  readonly settings: CommonSettings & Settings<Variables>;
  readonly log: Logger;
  /** Parts to dispose of at the end, in reverse order. */
  readonly stack: AsyncDisposableStack;
  readonly stop: AbortSignal;
}

/** Runs services until the signal aborts or a part fails. Resolves with the exit code. Throws Fatal where the settings are wrong. */
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
    await runParts({ product, name, settings, log, stack, stop }, services);
    log.info("stopped");
    return 0;
  } catch (error) {
    if (stop.aborted && !(error instanceof Fatal)) return 0;
    log.error({ error: messageOf(error) }, "stopped by a failure");
    return FAILED;
  }
};

const runParts = async (running: Running, services: readonly Service[]): Promise<void> => {
  const { product, name, settings, log, stack } = running;
  const metrics = stack.use(openMetrics(product.counters));
  const database = stack.use(openDatabase(settings.DATABASE_URL, `whileaway ${name}`));
  await patiently(running, () => checkSchema(database));
  const world = await openWorld(running, database);
  log.debug("connected");

  const missing = new Set(["start"]);
  const http = openHttp(() => [...missing], metrics);
  stack.defer(() => http.close());
  const parts = collect(world, database, http, stack);
  for (const service of services) await service.start(parts.root, settings);
  await http.listen({ host: settings.HTTP_HOST, port: settings.HTTP_PORT });
  log.info({ addresses: http.addresses() }, "listening");

  await runLoops(running, parts, world, () => missing.delete("start"));
};

const openWorld = async (running: Running, database: Database): Promise<World> => {
  const { product, name, settings, stack } = running;
  const registry = openRegistry(settings.SCHEMA_REGISTRY_URL);
  const ids = await patiently(running, () => registeredIds(product, registry, settings.TOPIC_PREFIX));
  const clock = stack.use(await patiently(running, () => databaseClock(database)));
  const kafka = stack.use(openKafka(product, kafkaSettings(settings, `whileaway-${name}`), clock));
  await patiently(running, () => kafka.describe());
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
 * Starts the loops and waits for the end. Then the loops stop in flow order: the engines end their step and leave their
 * groups, the workers settle their attempts, and the relay publishes the records of both.
 */
const runLoops = async (
  process: Running,
  { engines, workers }: Parts,
  world: World,
  onStarted: () => void,
): Promise<void> => {
  const { log, stack, stop } = process;
  const intake = new AbortController();
  const outlet = new AbortController();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // awaited below, after the start
  const start = (steps: Steps, signal: AbortSignal): Promise<void> => {
    const running = loop(steps, world.clock, signal);
    running.catch(failure.reject);
    return running;
  };
  const relaying = start({ name: "relay", ...world.relay, nextDue: () => null }, outlet.signal);
  const started: Engine[] = [];
  const joined = stack.use(new AsyncDisposableStack());
  for (const join of engines) started.push(joined.use(await patiently(process, join)));
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
    await joined.disposeAsync(); // other processes take the lanes over while the attempts here drain
    await Promise.all(workers.map((one) => one.drain(AbortSignal.timeout(DRAIN_PATIENCE))));
    outlet.abort();
    await Promise.allSettled([relaying]);
    await flush(world);
  }
};

/** Publishes the records that the relay still holds. The store has the ones that it cannot publish now, for the next start. */
const flush = async ({ relay: publisher }: World): Promise<void> => {
  try {
    while (await publisher.step());
  } catch (error) {
    if (!(error instanceof Transient)) throw error;
  }
};

/** Asks again after a Transient, up to START_PATIENCE: at the start, Kafka and PostgreSQL may be starting too. */
const patiently = async <T>({ stop }: Running, ask: () => Promise<T>): Promise<T> => {
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
