import type { Connection } from "../../platform/contract/database.ts";
import type { Clock } from "../../platform/contract/ports.ts";
import { type Millis, SECOND } from "../../platform/contract/time.ts";
import type { EndpointId, Subscriber } from "../rule.ts";
import { type Endpoint, findEndpoint, listEndpoints } from "./table.ts";

/** Milliseconds for which the list of enabled endpoints is cached. */
const CACHED = SECOND;

/** The endpoints of the configuration and of the table together. Every call may throw Transient. */
export interface Directory {
  all(): Promise<readonly Endpoint[]>;
  /** Lists the endpoints that get new deliveries, as of at most a second ago. */
  enabled(): Promise<readonly Subscriber[]>;
  /** Finds an endpoint, uncached: another process may have queued a delivery for an endpoint added just now. */
  find(id: EndpointId): Promise<Endpoint | null>;
}

export const directory = (database: Connection, configured: readonly Endpoint[], clock: Clock): Directory => {
  let known: Promise<readonly Subscriber[]> | null = null;
  let asked: Millis = -Infinity;

  const all = async (): Promise<readonly Endpoint[]> => [...configured, ...(await listEndpoints(database))];
  const fresh = async (): Promise<readonly Subscriber[]> =>
    (await all()).filter(({ enabled }) => enabled).map(({ id, url, types }) => ({ id, url, types }));

  return {
    all,
    async enabled() {
      const now = clock.now();
      if (known !== null && now - asked <= CACHED) return known;
      asked = now;
      const asking = fresh();
      known = asking;
      try {
        return await asking;
      } catch (error) {
        if (known === asking) known = null;
        throw error;
      }
    },
    find: async (id) => configured.find((endpoint) => endpoint.id === id) ?? (await findEndpoint(database, id)),
  };
};
