import type { Connection } from "../platform/contract/database.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { EndpointId } from "./rule.ts";

/** One try at a delivery, for its history. */
export interface AttemptRow {
  /** The job's id. */
  readonly deliveryId: string;
  readonly attempt: number;
  /** When it ended. */
  readonly at: Millis;
  readonly endpointId: EndpointId;
  /** null where no answer came. */
  readonly status: number | null;
  readonly error: string | null;
  /** Milliseconds. */
  readonly duration: number;
  readonly excerpt: string | null;
}

/** Adds a row to the history. */
export const recordAttempt = async (database: Connection, it: AttemptRow): Promise<void> => {
  await database.query(
    `insert into webhook_attempts (delivery_id, attempt, at, endpoint_id, status, error, duration_ms, excerpt)
     values ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7, $8) on conflict do nothing`,
    [it.deliveryId, it.attempt, it.at, it.endpointId, it.status, it.error, it.duration, it.excerpt],
  );
};

/** Forgets at most `limit` of those that ended before a moment. Returns how many. */
export const forgetAttempts = async (database: Connection, before: Millis, limit: number): Promise<number> => {
  const gone = await database.query(
    `delete from webhook_attempts where ctid = any(array(
       select ctid from webhook_attempts where at < to_timestamp($1 / 1000.0) limit $2 for update skip locked))
     returning 1`,
    [before, limit],
  );
  return gone.length;
};

/** Attempts of a delivery that are listed, at most; the schedule allows ten. */
const MAX_LISTED = 100;

/** The attempts of a delivery, first to last. */
export const attemptsOf = (database: Connection, deliveryId: string): Promise<readonly AttemptRow[]> =>
  database.query(
    `select delivery_id as "deliveryId", attempt, (extract(epoch from at) * 1000)::bigint as at,
       endpoint_id as "endpointId", status, error, duration_ms as duration, excerpt
     from webhook_attempts where delivery_id = $1 order by at, attempt limit $2`,
    [deliveryId, MAX_LISTED],
  );
