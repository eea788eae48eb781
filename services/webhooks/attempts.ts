import type { Connection } from "../platform/contract/database.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { EndpointId } from "./rule.ts";

/** One attempt at a delivery, as its history keeps it. */
export interface AttemptRow {
  /** Id of the delivery's job. */
  readonly deliveryId: string;
  readonly attempt: number;
  /** Time at which the attempt ended. */
  readonly at: Millis;
  readonly endpointId: EndpointId;
  /** null where no answer came. */
  readonly status: number | null;
  readonly error: string | null;
  /** Duration in milliseconds. */
  readonly duration: number;
  readonly excerpt: string | null;
}

/** Adds an attempt to the history. */
export const recordAttempt = async (database: Connection, row: AttemptRow): Promise<void> => {
  await database.query(
    `insert into webhook_attempts (delivery_id, attempt, at, endpoint_id, status, error, duration_ms, excerpt)
     values ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7, $8) on conflict do nothing`,
    [row.deliveryId, row.attempt, row.at, row.endpointId, row.status, row.error, row.duration, row.excerpt],
  );
};

/** Deletes at most `limit` attempts that ended before a time. Returns the number deleted. */
export const forgetAttempts = async (database: Connection, before: Millis, limit: number): Promise<number> => {
  const deleted = await database.query(
    `delete from webhook_attempts where ctid = any(array(
       select ctid from webhook_attempts where at < to_timestamp($1 / 1000.0) limit $2 for update skip locked))
     returning 1`,
    [before, limit],
  );
  return deleted.length;
};

/** Maximum number of attempts listed for a delivery; the schedule allows ten. */
const MAX_LISTED = 100;

/** Lists the attempts of a delivery, first to last. */
export const attemptsOf = (database: Connection, deliveryId: string): Promise<readonly AttemptRow[]> =>
  database.query(
    `select delivery_id as "deliveryId", attempt, (extract(epoch from at) * 1000)::bigint as at,
       endpoint_id as "endpointId", status, error, duration_ms as duration, excerpt
     from webhook_attempts where delivery_id = $1 order by at, attempt limit $2`,
    [deliveryId, MAX_LISTED],
  );
