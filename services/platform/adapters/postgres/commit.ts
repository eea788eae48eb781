import type { Connection } from "../../contract/database.ts";
import type { Commit, NewJob, OutboxEntry, RowWrite } from "../../contract/ports.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { inChunks } from "../../runtime/chunks.ts";

/** The table of a processor's rows. Stateless processors have none. */
export const stateTable = (processor: string): string => {
  if (!/^[a-z_]+$/.test(processor)) throw new Error(`${processor} names no table of state`);
  return `state_${processor}`;
};

/** Saves a commit within a transaction; false where it is refused, and then the transaction is to be rolled back. */
export const saveCommit = async (connection: Connection, commit: Commit): Promise<boolean> => {
  if (!(await saveLanes(connection, commit))) return false;
  await revisit(connection, commit);
  await saveRows(connection, commit.processor, commit.rows);
  await saveOutbox(connection, commit.outbox);
  await saveJobs(connection, commit.jobs);
  return true;
};

/**
 * False when a lane's epoch is another's by now, and then nothing is changed of any lane: what was taken on one of them
 * must not count without its rows. Lanes are locked in one order, so that two commits never wait crosswise.
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

/** Rows as they are written, one by one: all texts of a commit together may be more than memory should hold. */
function* written(rows: readonly RowWrite[]): Generator<Omit<RowWrite, "value"> & { readonly text: string }> {
  for (const { lane, key, value, due } of rows)
    if (value !== null) yield { lane, key, text: JSON.stringify(value), due };
}

/**
 * Units of what one statement is given, about. A string of V8's ends at 512 Mi, a message of PostgreSQL's at 1 GiB; and of
 * each statement all is in memory at once: as texts, as one text and as bytes.
 */
const MAX_PIECE = scaledToHeap(8 * 1024 * 1024);

/** Separates JSON texts (ASCII "record separator"), none of which holds it: JSON escapes control characters. */
const SEPARATOR = "\u001e";

/** JSON texts in one parameter: in an array of texts each quote would be escaped, which costs more than the rest. */
const together = (texts: readonly string[]): string => texts.join(SEPARATOR);

/** SQL for the array of numbers and nulls that are joined in a parameter, where pg would write each as a text of its own. */
const numbers = (parameter: string): string => `string_to_array(${parameter}, ',', '')`;

/** SQL for the array of the texts in such a parameter. */
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

/** Jobs as they are written, one by one, as rows are. */
function* asked(jobs: Commit["jobs"]): Generator<Omit<NewJob, "payload"> & { readonly text: string }> {
  for (const { queue, id, payload, runAt } of jobs) yield { queue, id, text: JSON.stringify(payload), runAt };
}
