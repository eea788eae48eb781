import { setTimeout as delay } from "node:timers/promises";
import type { NewRecord } from "../../domain/log-record.ts";
import type { Database } from "../../platform/contract/database.ts";
import { DAY, type Millis, SECOND } from "../../platform/contract/time.ts";
import { topicIds, product } from "../../domain/topics.ts";
import { avroCodec, registeredIds } from "../../platform/adapters/registry/codec.ts";
import { openKafka } from "../../platform/adapters/kafka/log.ts";
import type { KafkaLog } from "../../platform/adapters/kafka/client.ts";
import { openDatabase } from "../../platform/adapters/postgres/database.ts";
import { publish } from "../../platform/engine/output/publish.ts";
import { openRegistry } from "../../platform/adapters/registry/registry.ts";
import { type CommonSettings, kafkaSettings } from "../../platform/app/serve.ts";
import { readTrace, type TraceRow } from "./trace.ts";
import { traceScript } from "./trace-script.ts";

/** Records published at once, and milliseconds between two publishes. */
const PUBLISH_LIMIT = 2_000;
const PUBLISH_EVERY = 50;
const TELL_EVERY = 10 * SECOND;
const LOOK_EVERY = 500;

/** Result of a replay. Jobs are counted in the database, from the replay's start on. */
export interface Replayed {
  readonly messages: number;
  readonly records: number;
  /** Milliseconds from the first record until everything had been decided, sent and posted. */
  readonly duration: Millis;
  readonly mails: Outcomes;
  readonly webhooks: Outcomes;
}

interface Outcomes {
  readonly done: number;
  readonly dead: number;
  /** Attempts beyond the first. */
  readonly retries: number;
}

/**
 * Plays a recorded chat through the real topics, `speed` times as fast, with times from now on. Then waits until all
 * notifications have been decided, mailed and posted.
 */
export const replayTrace = async (
  file: string,
  { speed, limit = Infinity }: { readonly speed: number; readonly limit?: number },
  settings: CommonSettings,
  say: (line: string) => void,
): Promise<Replayed> => {
  await using log = openKafka(product, kafkaSettings(settings, "whileaway-replay"));
  await using database = openDatabase(settings.DATABASE_URL, "whileaway replay");
  const registry = openRegistry(settings.SCHEMA_REGISTRY_URL);
  const codec = avroCodec(product, registry, await registeredIds(product, registry, settings.TOPIC_PREFIX));

  const rows: TraceRow[] = [];
  for await (const row of readTrace(file)) if (rows.push(row) >= limit) break;
  const begun = Date.now();
  const first = rows[0]?.at ?? 0;
  const script = traceScript((at) => Math.round(begun + 3 * SECOND + (at - first) / speed));
  const records = [...rows.flatMap((row) => script.take(row)), ...script.end()];
  say(
    `${rows.length} messages, ${records.length} records, ${Math.round(((rows.at(-1)?.at ?? 0) - first) / speed / 1000)} s at ${speed} times`,
  );

  await play(records, (batch) => publish(log, codec, batch), say);
  say("all said; waiting until everything has been decided, sent and posted …");
  await quiet(log, database, say);
  const replayed: Replayed = {
    messages: rows.length,
    records: records.length,
    duration: Date.now() - begun,
    mails: await outcomes(database, "mail", begun),
    webhooks: await outcomes(database, "webhooks", begun),
  };
  say(JSON.stringify(replayed));
  return replayed;
};

const play = async (
  records: readonly NewRecord[],
  put: (records: readonly NewRecord[]) => Promise<void>,
  say: (line: string) => void,
): Promise<void> => {
  let told = Date.now();
  for (let next = 0; next < records.length;) {
    const now = Date.now();
    let end = next;
    while (end < records.length && end - next < PUBLISH_LIMIT && timeOf(records[end]) <= now) end++;
    if (end > next) await put(records.slice(next, end));
    else await delay(PUBLISH_EVERY);
    next = end;
    if (now - told >= TELL_EVERY) {
      told = now;
      const behind = Math.max(0, now - timeOf(records[next]));
      say(
        `${Math.floor((100 * next) / records.length)} %, ${behind > SECOND ? `${Math.round(behind / SECOND)} s behind` : "in time"}`,
      );
    }
  }
};

const timeOf = (record: NewRecord | undefined): Millis => {
  const value = record?.value;
  return value !== undefined && value !== null && "occurredAt" in value ? value.occurredAt : 0;
};

/** Resolves when every processor has read all records, no timer of an inbox waits, and no job is open. */
const quiet = async (log: KafkaLog, database: Database, say: (line: string) => void): Promise<void> => {
  let told = Date.now();
  for (;;) {
    const [open] = await database.query<{ timers: number; outbox: number; jobs: number }>(
      `select (select count(*) from state_inboxes where due < $1) as timers,
              (select count(*) from outbox) as outbox,
              (select count(*) from jobs where state = 'ready') as jobs`,
      [Date.now() + DAY], // timers beyond a day only forget old rows
    );
    const lag = await lagOf(log, database);
    if (open !== undefined && lag + open.timers + open.outbox + open.jobs === 0) return;
    if (Date.now() - told >= TELL_EVERY) {
      told = Date.now();
      say(`lag ${lag}, timers ${open?.timers}, to publish ${open?.outbox}, to send and post ${open?.jobs}`);
    }
    await delay(LOOK_EVERY);
  }
};

/** Counts records that some processor has not folded, by the cursors of its lanes. */
const lagOf = async (log: KafkaLog, database: Database): Promise<number> => {
  const lanes = await database.query<{ cursors: Readonly<Record<string, number>> }>("select cursors from lanes");
  let lag = 0;
  for (const { cursors } of lanes) {
    const partitions = Object.keys(cursors).flatMap((name) => {
      const [id, partition] = name.split("/");
      const topic = topicIds.find((known) => known === id);
      return topic === undefined ? [] : [{ topic, partition: Number(partition) }];
    });
    const offsets = await log.offsets(partitions);
    partitions.forEach((partition, index) => {
      lag += Math.max(0, (offsets[index]?.high ?? 0) - (cursors[`${partition.topic}/${partition.partition}`] ?? 0));
    });
  }
  return lag;
};

const outcomes = async (database: Database, queue: string, since: Millis): Promise<Outcomes> => {
  const [found] = await database.query<Outcomes>(
    `select count(*) filter (where state = 'done') as done, count(*) filter (where state = 'dead') as dead,
            coalesce(sum(attempts - 1), 0) as retries
     from jobs where queue = $1 and saved_at >= to_timestamp($2 / 1000.0)`,
    [queue, since],
  );
  return found ?? { done: 0, dead: 0, retries: 0 };
};
