import type { TopicId } from "../../contract/topic.ts";
import type { Database } from "../../contract/database.ts";
import type {
  DueRow,
  LaneProgress,
  Job,
  LaneSpan,
  OutboxEntry,
  CommittedProgress,
  Store,
} from "../../contract/ports.ts";
import { saveCommit, stateTable } from "./commit.ts";

/** The store in PostgreSQL (deploy/migrations/0001_engine.sql, 0004_time.sql). */
export const postgresStore = (database: Database): Store => ({
  async claim(processor, lanes) {
    return database.query<LaneProgress>(
      // Sequences go on from the clock's microseconds: a database restored from a backup must not give numbers again that
      // readers have seen with other content.
      `insert into lanes as l (processor, lane, epoch, sequence)
       select $1, lane, 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint from unnest($2::int[]) lane
       on conflict (processor, lane) do update
       set epoch = l.epoch + 1, sequence = greatest(l.sequence, excluded.sequence)
       returning ${PROGRESS}`,
      [processor, lanes],
    );
  },

  progress: (processor, to) =>
    database.query<CommittedProgress>(
      `select lane, cursors, examined as "readOffsets", time as watermark, examined_time as "readWatermark", sequence,
         (select min(o.sequence) from outbox o where o.stream = $1 || '/' || lane and o.topic = $2) as unpublished
       from lanes where processor = $1`,
      [processor, to],
    ),

  async load(processor, keys) {
    const found = await database.query<{ key: string; value: unknown }>(
      `select s.key, s.value from ${stateTable(processor)} s
       join unnest($1::int[], $2::text[]) wanted (lane, key) on s.lane = wanted.lane and s.key = wanted.key`,
      [keys.map(({ lane }) => lane), keys.map(({ key }) => key)],
    );
    const values = new Map(found.map(({ key, value }) => [key, value]));
    return keys.map(({ key }) => values.get(key));
  },

  async gather(processor, spans) {
    // Offset 0 keeps the ranges apart, so that each is one look into the index. As a join, each range scanned the whole lane.
    const found = await database.query<{ place: number; key: string; value: unknown }>(
      `select place, s.key, s.value from unnest($1::int[], $2::int[], $3::text[]) wanted (place, lane, key)
       join ${stateTable(processor)} s on s.lane = wanted.lane and s.key = wanted.key
       union all
       select place, s.key, s.value from unnest($4::int[], $5::int[], $6::text[], $7::text[]) wanted (place, lane, first, behind)
       cross join lateral
       (select key, value from ${stateTable(processor)} s
        where s.lane = wanted.lane and s.key >= wanted.first and s.key < wanted.behind offset 0) s`,
      [...keysOf(spans), ...prefixesOf(spans)],
    );
    const gathered = spans.map(() => new Map<string, unknown>());
    for (const { place, key, value } of found) gathered[place]?.set(key, value);
    return gathered;
  },

  due: (processor, lanes, until, limit) =>
    database.query<DueRow>(
      // At most `limit` rows of each lane, in the order of the index: after an outage all timers are due at once.
      `select first.* from unnest($1::int[]) wanted (lane) cross join lateral
       (select lane, key, due from ${stateTable(processor)} s
        where s.lane = wanted.lane and due <= $2 order by due, key limit $3) first
       order by due, key limit $3`,
      [lanes, Math.min(until, Number.MAX_SAFE_INTEGER), limit],
    ),

  async nextDue(processor, lanes) {
    const [row] = await database.query<{ due: number | null }>(
      `select min(first.due) as due from unnest($1::int[]) wanted (lane) cross join lateral
       (select due from ${stateTable(processor)} s where s.lane = wanted.lane and due is not null order by due limit 1) first`,
      [lanes],
    );
    return row?.due ?? null;
  },

  commit: (commit) =>
    database.transaction(async (connection) => ((await saveCommit(connection, commit)) ? "committed" : "fenced")),

  unpublished: (streams, bounds) =>
    database.query<OutboxEntry & { topic: TopicId }>(
      `select stream, sequence, topic, partition, key, value from outbox
       where stream = any($1) and ($2::bigint is null or saved_at < to_timestamp($2 / 1000.0))
       order by stream, sequence limit $3`,
      [streams, bounds?.before ?? null, bounds?.limit ?? null],
    ),

  async published(entries) {
    await database.query(
      `delete from outbox o using unnest($1::text[], $2::bigint[]) gone (stream, sequence)
       where o.stream = gone.stream and o.sequence = gone.sequence`,
      [entries.map(({ stream }) => stream), entries.map(({ sequence }) => sequence)],
    );
  },

  lease: (queue, limit, now, until) =>
    database.query<Job>(
      `with chosen as (
         select id from jobs where queue = $1 and state = 'ready' and run_at <= $2
         order by run_at limit $3 for update skip locked)
       update jobs j set attempts = attempts + 1, run_at = $4, token = gen_random_uuid()
       from chosen where j.queue = $1 and j.id = chosen.id
       returning j.queue, j.id, j.payload, j.attempts as attempt, j.token`,
      [queue, now, limit, until],
    ),

  async renew(jobs, until) {
    await database.query(
      `update jobs j set run_at = $4 from unnest($1::text[], $2::text[], $3::uuid[]) held (queue, id, token)
       where j.queue = held.queue and j.id = held.id and j.token = held.token`,
      [jobs.map(({ queue }) => queue), jobs.map(({ id }) => id), jobs.map(({ token }) => token), until],
    );
  },

  async nextJob(queue) {
    const [row] = await database.query<{ due: number }>(
      `select run_at as due from jobs where queue = $1 and state = 'ready' order by run_at limit 1`,
      [queue],
    );
    return row?.due ?? null;
  },

  async settle({ queue, id, token }, settlement, outbox) {
    // One statement is one round trip, and thousands of jobs are settled by it.
    const [saved] = await database.query<{ settled: boolean; sequences: readonly number[] | null }>(
      `with settled as (
         update jobs set
           state = case when $5::bigint is null then $4::text else 'ready' end,
           attempts = attempts - ($4::text = 'put off')::int,
           run_at = coalesce($5::bigint, run_at),
           settled_at = case when $5::bigint is null then now() end,
           error = $6, token = null
         where queue = $1 and id = $2 and token = $3 returning 1),
       added as (
         insert into outbox (stream, sequence, topic, partition, key, value)
         select e.stream, nextval('outbox_of_queues'), e.topic, e.partition, e.key, e.value
         from unnest($7::text[], $8::text[], $9::int[], $10::text[], $11::bytea[])
           with ordinality e (stream, topic, partition, key, value, place), settled
         order by e.place returning sequence)
       select exists (select 1 from settled) as settled, (select json_agg(sequence order by sequence) from added) as sequences`,
      [
        queue,
        id,
        token,
        settlement.state,
        "runAt" in settlement ? settlement.runAt : null,
        "error" in settlement ? settlement.error : null,
        outbox.map(({ stream }) => stream),
        outbox.map(({ topic }) => topic),
        outbox.map(({ partition }) => partition),
        outbox.map(({ key }) => key),
        outbox.map(({ value }) => Buffer.from(value)),
      ],
    );
    if (saved?.settled !== true) return false;
    return outbox.map((entry, index) => ({ ...entry, sequence: saved.sequences?.[index] ?? 0 }));
  },

  async forget(queue, before, limit) {
    const gone = await database.query(
      `delete from jobs where ctid = any(array(
         select ctid from jobs where queue = $1 and state <> 'ready' and settled_at < to_timestamp($2 / 1000.0)
         order by settled_at limit $3 for update skip locked))
       returning 1`,
      [queue, before, limit],
    );
    return gone.length;
  },
});

/** Columns of `lanes` under the names of LaneProgress. */
const PROGRESS = `lane, epoch, cursors, heard as "lastSequence", within as "partiallyFolded", reached as "lastTime", sequence,
  time as watermark, examined as "readOffsets", examined_time as "readWatermark"`;

/** The spans' keys in three columns: index of the span, lane and key. */
const keysOf = (spans: readonly LaneSpan[]): readonly unknown[] => {
  const keys = spans.flatMap(({ lane, keys: own }, place) => own.map((key) => ({ place, lane, key })));
  return [keys.map(({ place }) => place), keys.map(({ lane }) => lane), keys.map(({ key }) => key)];
};

/** The spans' prefixes in four columns: index of the span, lane, the prefix, and the first key behind its range. */
const prefixesOf = (spans: readonly LaneSpan[]): readonly unknown[] => {
  const ranges = spans.flatMap(({ lane, prefix }, place) => (prefix === null ? [] : [{ place, lane, prefix }]));
  return [
    ranges.map(({ place }) => place),
    ranges.map(({ lane }) => lane),
    ranges.map(({ prefix }) => prefix),
    ranges.map(({ prefix }) => behind(prefix)),
  ];
};

/** The first key behind all keys that begin with the prefix, where keys are compared by their bytes. */
const behind = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
