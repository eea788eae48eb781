import { randomBytes } from "node:crypto";
import type { Connection } from "../../platform/contract/database.ts";
import { derivedId } from "../../platform/contract/identity.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { EndpointId, Subscriber } from "../rule.ts";

/** Maximum number of endpoints in the table: every event is queued once for each endpoint that wants it. */
export const MAX_ENDPOINTS = 100;
const ID_BYTES = 12;
const CONFIGURED = "epc_";

/** An endpoint with its secret and settings. */
export interface Endpoint extends Subscriber {
  /** Key of the signatures; shown only to the client that registers the endpoint. */
  readonly secret: string;
  readonly enabled: boolean;
  readonly description: string;
  /** Time of its registration; null where the configuration names it. */
  readonly createdAt: Millis | null;
}

/** An endpoint to register; its `url` has no `urlProblem`. */
export type NewEndpoint = Pick<Endpoint, "url" | "types" | "description" | "secret">;

/** Identity of an endpoint that the configuration names: its URL. */
export const configuredId = (url: string): EndpointId => CONFIGURED + derivedId("endpoint", url);
export const isConfigured = (id: EndpointId): boolean => id.startsWith(CONFIGURED);

const COLUMNS = `id, url, secret, event_types as types, enabled, description,
  (extract(epoch from created_at) * 1000)::bigint as "createdAt"`;

/** Adds an enabled endpoint under a new id; null where the table already has MAX_ENDPOINTS. */
export const addEndpoint = async (database: Connection, endpoint: NewEndpoint): Promise<Endpoint | null> => {
  const id = `ep_${randomBytes(ID_BYTES).toString("hex")}`;
  const [added] = await database.query<Endpoint>(
    `insert into webhook_endpoints (id, url, secret, event_types, description)
     select $1, $2, $3, $4::text[], $5 where (select count(*) from webhook_endpoints) < $6 returning ${COLUMNS}`,
    [id, endpoint.url, endpoint.secret, endpoint.types, endpoint.description, MAX_ENDPOINTS],
  );
  return added ?? null;
};

/** Lists the endpoints in the order of their registration. */
export const listEndpoints = (database: Connection): Promise<readonly Endpoint[]> =>
  database.query(`select ${COLUMNS} from webhook_endpoints order by created_at, id`);

/** Finds a registered endpoint; null where there is none. */
export const findEndpoint = async (database: Connection, id: EndpointId): Promise<Endpoint | null> => {
  const [found] = await database.query<Endpoint>(`select ${COLUMNS} from webhook_endpoints where id = $1`, [id]);
  return found ?? null;
};

/** Removes an endpoint; false where there was none. Its queued deliveries are dead at their next attempt. */
export const removeEndpoint = async (database: Connection, id: EndpointId): Promise<boolean> =>
  (await database.query("delete from webhook_endpoints where id = $1 returning 1", [id])).length > 0;

/**
 * Enables or disables an endpoint; false where there is none. A disabled endpoint gets no new deliveries. Its queued
 * deliveries are retried by the schedule.
 */
export const enableEndpoint = async (database: Connection, id: EndpointId, enabled: boolean): Promise<boolean> =>
  (await database.query("update webhook_endpoints set enabled = $2 where id = $1 returning 1", [id, enabled])).length >
  0;
