import type { Connection, Database } from "../../platform/contract/database.ts";
import { Fatal, Transient } from "../../platform/contract/failure.ts";
import type { Clock } from "../../platform/contract/ports.ts";
import { derivedTopics, product, topics } from "../../domain/topics.ts";
import { openKafka } from "../../platform/adapters/kafka/log.ts";
import type { KafkaLog } from "../../platform/adapters/kafka/client.ts";
import { migrate } from "../../platform/adapters/postgres/migrations.ts";
import { openDatabase } from "../../platform/adapters/postgres/database.ts";
import { type CommonSettings, kafkaSettings } from "../../platform/app/serve.ts";
import { declaredConfig, untilThere } from "../../platform/app/ensure-topics.ts";
import { until } from "./wait.ts";

/** Identity: a part of the names of a rebuild's topics and groups, and its schema. A new rebuild deletes all of these. */
const APART = "rebuild";
export const REBUILD = "whileaway_rebuild";

/** Milliseconds within which topics and groups must be gone. A killed member stays in its group until its session ends. */
const CLEARING_PATIENCE = 60_000;

/** A log and a database beside the live ones, for folding everything anew. Disposing deletes both. */
export interface Apart extends AsyncDisposable {
  readonly log: KafkaLog;
  readonly database: Database;
}

/** Makes the log and the database, after deleting the remains of a killed rebuild. Throws Fatal if the live topics don't exist. */
export const openApart = async (
  settings: CommonSettings,
  live: KafkaLog,
  database: Database,
  clock: Clock,
): Promise<Apart> => {
  await using stack = new AsyncDisposableStack();
  const log = stack.use(openKafka(product, { ...kafkaSettings(settings, "whileaway-rebuild"), apart: APART }, clock));
  const clear = async (): Promise<void> => {
    await database.query(`drop schema if exists ${REBUILD} cascade`);
    await cleared(log);
  };
  await clear();
  stack.defer(clear);
  const found = await live.describe();
  const wanted = derivedTopics.map((topic) => {
    const { partitions, replication } = found.get(topic) ?? { partitions: 0, replication: 0 };
    if (partitions === 0) throw new Fatal(`the topic ${live.nameOf(topic)} does not exist: run \`ops topics\` first`);
    return { topic, partitions, replication, config: declaredConfig(topics[topic]) };
  });
  await log.create(wanted);
  await untilThere(log, derivedTopics);
  await migrate(settings.DATABASE_URL, REBUILD);
  const rebuildDatabase = stack.use(openDatabase(settings.DATABASE_URL, "whileaway ops rebuild", { schema: REBUILD }));
  const made = stack.move();
  return { log, database: rebuildDatabase, [Symbol.asyncDispose]: () => made.disposeAsync() };
};

const cleared = async (log: KafkaLog): Promise<void> => {
  const clear = async (): Promise<true | null> => {
    try {
      await log.clear();
      const found = await log.describe();
      return derivedTopics.some((topic) => found.has(topic)) ? null : true;
    } catch (error) {
      if (error instanceof Transient) return null;
      throw error;
    }
  };
  await until(clear, AbortSignal.timeout(CLEARING_PATIENCE));
};

const LOCK = "hashtext('whileaway rebuild')";
/** Milliseconds within which PostgreSQL notices that the holder of the lock was killed. */
const LOCK_PATIENCE = 5_000;

const isMine = async (connection: Connection): Promise<boolean> => {
  const tries = AbortSignal.timeout(LOCK_PATIENCE);
  const attempt = async (): Promise<boolean | null> => {
    const [row] = await connection.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as mine`);
    return row?.mine === true || (tries.aborted ? false : null);
  };
  return until(attempt, new AbortController().signal);
};

/**
 * Runs `body` while no other rebuild runs on this database. A transaction that does nothing else holds the lock, so a
 * killed process releases it. Throws Fatal if another rebuild holds the lock.
 */
export const alone = async <T>(database: Database, body: () => Promise<T>): Promise<T> => {
  let result: { readonly value: T } | null = null;
  try {
    await database.transaction(async (connection) => {
      if (!(await isMine(connection)))
        throw new Fatal("another rebuild runs on this database: wait until it ends, or stop it first");
      result = { value: await body() };
    });
  } catch (error) {
    if (result === null) throw error; // else the lock's connection was lost after the work was done
  }
  if (result === null) throw new Fatal("the rebuild ended without a result");
  return (result as { readonly value: T }).value;
};
