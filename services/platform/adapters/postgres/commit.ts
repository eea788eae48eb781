import type { Connection } from "../../contract/database.ts";
import type { Commit, NewJob, OutboxEntry, RowWrite } from "../../contract/ports.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { inChunks } from "../../runtime/chunks.ts";

/** The table of a processor's rows. Stateless processors have none. */
export const stateTable = (processor: string): string => {
  if (!/^[a-z_]+$/.test(processor))
    throw new Error(
      `the processor name "${processor}" must be lower-case letters and underscores, since it names a table`,
    );
  return `state_${processor}`;
};

/** Saves a commit within a transaction. False: it is fenced, and the transaction has changed nothing. */
export const saveCommit = async (connection: Connection, commit: Commit): Promise<boolean> => {
  if (!(await saveLanes(connection, commit))) return false;
  await revisit(connection, commit);
  await saveRows(connection, commit.processor, commit.rows);
  await saveOutbox(connection, commit.outbox);
  await saveJobs(connection, commit.jobs);
  return true;
};

/**
 * Saves the lanes' progress. False where a lane has a later epoch by now: then no lane is changed, since progress on one
 * lane must not count without its rows. Lanes are locked in one order, so that two commits never deadlock.
 */
const saveLanes = async (connection: Connection, { processor, lanes }: Commit): Promise<boolean> => {
  const saved = await connection.query(
    `with mine as (
       select * from unnest($2::int[], $3::bigint[], $4::json[], $5::json[], $6::json[], $7::json[], $8::bigint[],
         $9::bigint[], $10::json[], $11::bigint[])
         as mine (lane, epoch, cursors, heard, within, reached, sequence, time, examined, examined_time)),
     held as (
       select l.lane from lanes l join mine on l.lane = mine.lane and l.epoch = mine.epoch
       where l.processor = $1 order by l.lane for update of l)
     update lanes l set cursors = mine.cursors, heard = mine.heard, within = mine.within, reached = mine.reached,
       sequence = mine.sequence, time = mine.time, examined = mine.examined, examined_time = mine.examined_time
     from mine where l.processor = $1 and l.lane = mine.lane and (select count(*) from held) = $12 returning 1`,
    [
      processor,
      lanes.map(({ lane }) => lane),
      lanes.map(({ epoch }) => epoch),
      lanes.map(({ cursors }) => JSON.stringify(cursors)),
      lanes.map(({ lastSequence }) => JSON.stringify(lastSequence)),
      lanes.map(({ partiallyFolded }) => JSON.stringify(partiallyFolded)),
      lanes.map(({ lastTime }) => JSON.stringify(lastTime)),
      lanes.map(({ sequence }) => sequence),
      lanes.map(({ watermark }) => watermark),
      lanes.map(({ readOffsets }) => JSON.stringify(readOffsets)),
      lanes.map(({ readWatermark }) => readWatermark),
      lanes.length,
    ],
  );
  return saved.length === lanes.length;
};

const revisit = async (connection: Connection, { processor, lanes, revisit: time }: Commit): Promise<void> => {
  if (time === null) return;
  await connection.query(`update ${stateTable(processor)} set due = $2 where lane = any($1) and due > $2`, [
    lanes.map(({ lane }) => lane),
    time,
  ]);
};

const saveRows = async (connection: Connection, processor: string, rows: readonly RowWrite[]): Promise<void> => {
  for (const some of inChunks(written(rows), ({ text }) => text.length, MAX_PIECE))
    await connection.query(
      `insert into ${stateTable(processor)} (lane, key, value, due)
       select lane, key, value::json, due
       from unnest(${numbers("$1")}::int[], $2::text[], ${apart("$3")}, ${numbers("$4")}::bigint[])
         as kept (lane, key, value, due)
       on conflict (lane, key) do update set value = excluded.value, due = excluded.due`,
      [
        some.map(({ lane }) => lane).join(),
        some.map(({ key }) => key),
        together(some.map(({ text }) => text)),
        some.map(({ due }) => due).join(),
      ],
    );
  const gone = rows.filter(({ value }) => value === null);
  if (gone.length > 0)
    await connection.query(
      `delete from ${stateTable(processor)} s using unnest($1::int[], $2::text[]) gone (lane, key)
       where s.lane = gone.lane and s.key = gone.key`,
      [gone.map(({ lane }) => lane), gone.map(({ key }) => key)],
    );
};

/** Yields rows as they are written, one by one: the texts of a whole commit may be too much for memory. */
function* written(rows: readonly RowWrite[]): Generator<Omit<RowWrite, "value"> & { readonly text: string }> {
  for (const { lane, key, value, due } of rows)
    if (value !== null) yield { lane, key, text: JSON.stringify(value), due };
}

/**
 * Characters of one statement's parameters, about. V8 limits a string to 512 Mi characters, PostgreSQL a message to 1 GiB.
 * The parameters of a statement are in memory three times: as texts, as one text and as bytes.
 */
const MAX_PIECE = scaledToHeap(8 * 1024 * 1024);

/** Separator of JSON texts (ASCII "record separator"). None of them holds it, since JSON escapes control characters. */
const SEPARATOR = "\u001e";

/** Joins JSON texts into one parameter: an array of texts would escape each quote, which costs more than the rest. */
const together = (texts: readonly string[]): string => texts.join(SEPARATOR);

/** SQL for an array of numbers and nulls that are joined in one parameter; pg would write each as a separate text. */
const numbers = (parameter: string): string => `string_to_array(${parameter}, ',', '')`;

/** SQL for the array of the texts that `together` joins in a parameter. */
const apart = (parameter: string): string => `string_to_array(${parameter}, chr(30))`;

const saveOutbox = async (connection: Connection, entries: readonly OutboxEntry[]): Promise<void> => {
  for (const some of inChunks(entries, ({ value }) => value.length, MAX_PIECE)) {
    let end = 1;
    const begins = some.map(({ value }) => (end += value.length) - value.length);
    await connection.query(
      `insert into outbox (stream, sequence, topic, partition, key, value)
       select stream, sequence, topic, partition, key, substr($8::bytea, begins, length)
       from unnest($1::text[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::int[], $7::int[])
         as entry (stream, sequence, topic, partition, key, begins, length)`,
      [
        some.map(({ stream }) => stream),
        some.map(({ sequence }) => sequence),
        some.map(({ topic }) => topic),
        some.map(({ partition }) => partition),
        some.map(({ key }) => key),
        begins,
        some.map(({ value }) => value.length),
        Buffer.concat(some.map(({ value }) => value)), // an array of bytea would be sent in hexadecimal
      ],
    );
  }
};

const saveJobs = async (connection: Connection, jobs: Commit["jobs"]): Promise<void> => {
  for (const some of inChunks(asked(jobs), ({ text }) => text.length, MAX_PIECE))
    await connection.query(
      `insert into jobs (queue, id, payload, run_at)
       select queue, id, payload::json, run_at
       from unnest($1::text[], $2::text[], ${apart("$3")}, $4::bigint[]) as job (queue, id, payload, run_at)
       on conflict (queue, id) do nothing`,
      [
        some.map(({ queue }) => queue),
        some.map(({ id }) => id),
        together(some.map(({ text }) => text)),
        some.map(({ runAt }) => runAt),
      ],
    );
};

/** Yields jobs as they are written, one by one, like rows. */
function* asked(jobs: Commit["jobs"]): Generator<Omit<NewJob, "payload"> & { readonly text: string }> {
  for (const { queue, id, payload, runAt } of jobs) yield { queue, id, text: JSON.stringify(payload), runAt };
}
