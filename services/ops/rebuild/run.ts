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
import { compare, type Compared, type Comparison, type LivePace } from "./compare.ts";
import { startFold } from "./fold.ts";
import type { Progress } from "./progress.ts";
import { recent } from "./recent.ts";
import type { FlowWatermark } from "../../platform/engine/time/flow-watermark.ts";
import { countOf, foldingsOf, marksOf, namesOf, paceOfSide, type Side } from "./side.ts";
import { stillLog } from "./standstill.ts";
import { checkKept, checkSwitch, type Switched, switchOver } from "./switch.ts";
import { readTold, type Told } from "./told.ts";
import { until } from "./wait.ts";

/** Milliseconds for a statement over all rows. */
const STATEMENT_PATIENCE = 3_600_000;
/** Milliseconds in which the live services must do something while they are behind; else they stand still. */
const STILL_AFTER = 30_000;
/** The rebuild has caught up when it is so many milliseconds behind. */
const NEAR: Millis = 5_000;

/** What a rebuild came to. */
export interface Rebuilt extends Comparison {
  /** Records that live has still to fold. */
  readonly lag: number;
  /** The chat's topics of which the beginning isn't kept, and the time from which they are. */
  readonly cut: Readonly<Record<TopicId, Millis>>;
}

export interface Course {
  readonly isToSwitch: boolean;
  readonly progress: Progress;
  /** Told what came of the comparison, before anything is switched. */
  compared(rebuilt: Rebuilt): void;
  /** Ends it early; everything is taken away all the same. Its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Folds everything again from the topics into a state beside the live one, sends nothing, compares, and switches over if
 * asked to. Nothing is left of the rebuild afterwards. Throws Fatal where that can't be, Transient where it can't be now.
 */
export const rebuild = async (settings: CommonSettings, course: Course): Promise<Switched | null> => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    openDatabase(settings.DATABASE_URL, "whileaway ops rebuild", { patience: STATEMENT_PATIENCE }),
  );
  await checkSchema(database);
  const [schema] = await database.query<{ name: string }>("select quote_ident(current_schema()) as name");
  const schemas = { live: schema?.name ?? "public", rebuilt: REBUILD };
  if (schemas.live === REBUILD) throw new Fatal(`the live state is in the schema ${REBUILD}, which is a rebuild's own`);
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

  const livePace = await paceOfSide(live);
  const since = await livePace();
  const still = stillLog(apart.log);
  const noted = recent(postgresStore(apart.database), codec, since);
  const rebuilt = { log: still.log, store: noted.store, clock, processors, database: apart.database };
  const pace = await paceOfSide(rebuilt);
  const fold = stack.use(await startFold(rebuilt, codec));
  const told = stack.use(readTold({ live: log, rebuilt: apart.log }, codec));
  const failed = new AbortController();
  fold.failure.catch((error) => failed.abort(error));
  const signal = AbortSignal.any([course.signal, failed.signal]);

  await until(async () => {
    noted.forget(await livePace());
    course.progress.show(await countOf(rebuilt));
    return (await pace()) >= clock.now() - NEAR ? true : null;
  }, signal);
  course.progress[Symbol.dispose]();

  const stands = standsOf(live, livePace);
  const comeToNow = async (): Promise<LivePace> => {
    const at = clock.now();
    await until(async () => ((await pace()) >= at ? true : null), signal);
    return until(() => stands(at), signal);
  };
  const comparison = await compare(
    {
      database,
      schemas,
      processors: namesOf(processors),
      recent: noted,
      comeToNow,
      told,
      readTold: () => readAll(database, rebuilt.store, told, signal),
    },
    still.cut(),
  );
  const { done, total } = await countOf(live);
  course.compared({ ...comparison, lag: total - done, cut: Object.fromEntries(still.cut()) });
  if (!course.isToSwitch) return null;
  checkKept(still.cut());
  const all = { live, livePace, database, rebuilt, pace, schemas, still, fold, recent: noted, told, codec, signal };
  return await switchOver(all);
};

/** Reads who was told: what waits in the live outbox, and both logs, once the rebuilt one has all that was decided. */
const readAll = async (database: Database, store: Store, told: Told, signal: AbortSignal): Promise<void> => {
  const waiting = await database.query<{ value: Uint8Array }>(
    "select value from outbox where stream like 'inboxes/%' and topic = 'notifications'",
  );
  await told.add(waiting);
  await until(async () => ((await isPublished(store)) ? true : null), signal);
  await orAborted(told.read(), signal);
};

/** Whether all that was decided at some moment is on the log. */
const isPublished = async (store: Store): Promise<boolean> =>
  (await store.progress("inboxes", "notifications")).every(({ unpublished }) => unpublished === null);

/** What is read in the background when the signal aborts comes to nothing. */
const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
    }),
  ]);

/** Whether live has come to a time, or does nothing about it: null while neither is known. */
const standsOf = (live: Side, livePace: FlowWatermark) => {
  let seen = "";
  let since = 0;
  return async (at: Millis): Promise<LivePace | null> => {
    const come = await livePace();
    if (come >= at) return { at, isStill: false }; // as far as the rebuild is known to have come, too
    const marks = await marksOf(live);
    if (marks !== seen) [seen, since] = [marks, performance.now()];
    return performance.now() - since >= STILL_AFTER ? { at: come, isStill: true } : null;
  };
};
