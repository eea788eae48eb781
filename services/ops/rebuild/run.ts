import type { TopicId } from "../../platform/contract/topic.ts";
import type { Database } from "../../platform/contract/database.ts";
import { Fatal } from "../../platform/contract/failure.ts";
import type { Clock, Store } from "../../platform/contract/ports.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { product } from "../../domain/topics.ts";
import { avroCodec, registeredIds } from "../../platform/adapters/registry/codec.ts";
import { openKafka } from "../../platform/adapters/kafka/log.ts";
import { checkSchema } from "../../platform/adapters/postgres/migrations.ts";
import { databaseClock } from "../../platform/adapters/postgres/clock.ts";
import { openDatabase } from "../../platform/adapters/postgres/database.ts";
import { openRegistry } from "../../platform/adapters/registry/registry.ts";
import { type CommonSettings, kafkaSettings } from "../../platform/app/serve.ts";
import { postgresStore } from "../../platform/adapters/postgres/store.ts";
import { alone, openApart, REBUILD } from "./apart.ts";
import { compare, type Compared, type Comparison, type LiveProgress } from "./compare.ts";
import { startFold } from "./fold.ts";
import type { Progress } from "./progress.ts";
import { recent } from "./recent.ts";
import type { FlowWatermark } from "../../platform/engine/time/flow-watermark.ts";
import { countOf, foldingsOf, marksOf, namesOf, watermarkOfSide, type Side } from "./side.ts";
import { stillLog } from "./standstill.ts";
import { checkKept, checkSwitch, type Switch, type Switched, switchOver } from "./switch.ts";
import { readTold, type Told } from "./told.ts";
import { until } from "./wait.ts";

/** Milliseconds for a statement over all rows. */
const STATEMENT_PATIENCE = 3_600_000;
/** Milliseconds without progress after which live services that are behind count as standing still. */
const STILL_AFTER = 30_000;
/** Milliseconds behind the present at which the rebuild has caught up. */
const NEAR: Millis = 5_000;

/** Result of a rebuild. */
export interface Rebuilt extends Comparison {
  /** Records that live has not folded yet. */
  readonly lag: number;
  /** First times of the chat's topics whose beginning retention has deleted. */
  readonly cut: Readonly<Record<TopicId, Millis>>;
}

export interface Course {
  readonly isToSwitch: boolean;
  readonly progress: Progress;
  /** Takes the result of the comparison, before the switch. */
  compared(rebuilt: Rebuilt): void;
  /** Ends the rebuild early, with its clean-up. Its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Folds everything again from the topics into a state beside the live one, sends nothing, compares, and switches over if
 * asked to. Deletes the rebuild's topics and tables afterwards. Throws Fatal, and Transient where a retry may succeed.
 */
export const rebuild = async (settings: CommonSettings, course: Course): Promise<Switched | null> => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    openDatabase(settings.DATABASE_URL, "whileaway ops rebuild", { patience: STATEMENT_PATIENCE }),
  );
  await checkSchema(database);
  const [schema] = await database.query<{ name: string }>("select quote_ident(current_schema()) as name");
  const schemas = { live: schema?.name ?? "public", rebuilt: REBUILD };
  if (schemas.live === REBUILD)
    throw new Fatal(
      `the live state is in the schema ${REBUILD}, which rebuilds use: move the live state to another schema`,
    );
  const clock = stack.use(await databaseClock(database));
  const log = stack.use(openKafka(product, kafkaSettings(settings, "whileaway-ops"), clock));
  return await alone(database, () => inPlace({ settings, course, database, log, schemas, clock }));
};

interface Opened {
  readonly settings: CommonSettings;
  readonly course: Course;
  readonly database: Database;
  readonly log: ReturnType<typeof openKafka>;
  readonly schemas: Compared["schemas"];
  readonly clock: Clock;
}

const inPlace = async ({ settings, course, database, log, schemas, clock }: Opened): Promise<Switched | null> => {
  await using stack = new AsyncDisposableStack();
  const store = postgresStore(database);
  const processors = await foldingsOf(store);
  const live: Side = { log, store, clock, processors };
  const registry = openRegistry(settings.SCHEMA_REGISTRY_URL);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, settings.TOPIC_PREFIX));
  const apart = stack.use(await openApart(settings, log, database, clock));
  if (course.isToSwitch) await checkSwitch({ live, database, schemas });

  const liveWatermark = await watermarkOfSide(live);
  const since = await liveWatermark();
  const still = stillLog(apart.log);
  const noted = recent(postgresStore(apart.database), codec, since);
  const rebuilt = { log: still.log, store: noted.store, clock, processors, database: apart.database };
  const rebuiltWatermark = await watermarkOfSide(rebuilt);
  const fold = stack.use(await startFold(rebuilt, codec));
  const told = stack.use(readTold({ live: log, rebuilt: apart.log }, codec));
  const failed = new AbortController();
  fold.failure.catch((error) => failed.abort(error));
  const signal = AbortSignal.any([course.signal, failed.signal]);

  await until(async () => {
    noted.forget(await liveWatermark());
    course.progress.show(await countOf(rebuilt));
    return (await rebuiltWatermark()) >= clock.now() - NEAR ? true : null;
  }, signal);
  course.progress[Symbol.dispose]();

  const context = {
    live,
    liveWatermark,
    database,
    rebuilt,
    rebuiltWatermark,
    schemas,
    still,
    fold,
    recent: noted,
    told,
    codec,
    signal,
  };
  await report(context, course);
  if (!course.isToSwitch) return null;
  checkKept(still.cut());
  return await switchOver(context);
};

/** Compares the two states, and hands the result to the course. */
const report = async (context: Switch, course: Course): Promise<void> => {
  const { live, liveWatermark, database, rebuilt, rebuiltWatermark, schemas, still, told, signal } = context;
  const stands = standsOf(live, liveWatermark);
  const comeToNow = async (): Promise<LiveProgress> => {
    const at = live.clock.now();
    await until(async () => ((await rebuiltWatermark()) >= at ? true : null), signal);
    return until(() => stands(at), signal);
  };
  const sides: Compared = {
    database,
    schemas,
    processors: namesOf(live.processors),
    recent: context.recent,
    comeToNow,
    told,
    readTold: () => readAll(database, rebuilt.store, told, signal),
  };
  const comparison = await compare(sides, still.cut());
  const { done, total } = await countOf(live);
  course.compared({ ...comparison, lag: total - done, cut: Object.fromEntries(still.cut()) });
};

/** Reads the notifications in the live outbox and on both logs, once all those of the rebuild are published. */
const readAll = async (database: Database, store: Store, told: Told, signal: AbortSignal): Promise<void> => {
  const waiting = await database.query<{ value: Uint8Array }>(
    "select value from outbox where stream like 'inboxes/%' and topic = 'notifications'",
  );
  await told.add(waiting);
  await until(async () => ((await isPublished(store)) ? true : null), signal);
  await orAborted(told.read(), signal);
};

/** Tells if every entry decided until now is on the log. */
const isPublished = async (store: Store): Promise<boolean> =>
  (await store.progress("inboxes", "notifications")).every(({ unpublished }) => unpublished === null);

/** Waits for the work, or rejects when the signal aborts. The work then goes on without a reader. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
    }),
  ]);

/** Tells whether live has reached a time, or stands still; null while neither is known. */
const standsOf = (live: Side, liveWatermark: FlowWatermark) => {
  let seen = "";
  let since = 0;
  return async (at: Millis): Promise<LiveProgress | null> => {
    const come = await liveWatermark();
    if (come >= at) return { at, isStill: false }; // the rebuild has reached at least this time, too
    const marks = await marksOf(live);
    if (marks !== seen) [seen, since] = [marks, performance.now()];
    return performance.now() - since >= STILL_AFTER ? { at: come, isStill: true } : null;
  };
};
