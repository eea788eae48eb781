import pg from "pg";
import type { Connection, Database } from "../../contract/database.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";

/** Connections of one process. */
const MAX_CONNECTIONS = 20;
/** Milliseconds to wait for a connection, and for a statement's answer. */
const CONNECT_TIMEOUT = 10_000;
const STATEMENT_TIMEOUT = 30_000;
/**
 * Milliseconds that a transaction may be idle: as long as a silent member keeps its lanes (adapters/kafka/consumer.ts). A
 * process that is frozen within a transaction would lock the rows for the process that takes the lanes over.
 */
const IDLE_TIMEOUT = 10_000;

const parseInt8 = (value: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Fatal(`the number ${value} from PostgreSQL is beyond 2^53`);
  return number;
};

/**
 * SQLSTATE classes and codes after which the same statement can succeed later: connection exceptions (08), transaction
 * rollback (40), insufficient resources (53), operator intervention (57), system error (58), lock timeout, read-only.
 */
const passing = (error: unknown): boolean => {
  const { code } = error as { readonly code?: string };
  if (code === undefined) return true; // pg's own: connection lost, timeout
  if (/^E[A-Z]+$/.test(code)) return true; // Node's: ECONNREFUSED …
  return /^(08|40|53|57|58)/.test(code) || code === "55P03" || code === "25006";
};

const classified = (error: unknown, sql: string): Error => {
  if (error instanceof Transient || error instanceof Fatal) return error;
  const message = `PostgreSQL: ${messageOf(error)}`;
  if (passing(error)) return new Transient(message, { cause: error });
  return new Fatal(`${message} (in: ${sql.trim().slice(0, 200)})`, { cause: error });
};

/** Options of a pool. */
export interface DatabaseOptions {
  /** The schema whose tables the pool sees; else the server's choice for the role, mostly `public`. */
  readonly schema?: string;
  /** Milliseconds to wait for a statement's answer, and that a transaction may be idle. */
  readonly patience?: number;
}

/** Opens a pool; connects at the first use. @param address `postgres://user:password@host:port/database` */
export const openDatabase = (
  address: string,
  applicationName: string,
  { schema, patience }: DatabaseOptions = {},
): Database => {
  const pool = new pg.Pool({
    connectionString: address,
    application_name: applicationName,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: patience ?? STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: patience ?? IDLE_TIMEOUT,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
    keepAlive: true,
    types: { getTypeParser },
  });
  pool.on("error", () => undefined); // an idle connection was lost: the pool opens another when it needs one
  // A connection lost between two statements of a transaction fails the next one. Without a listener it would end the process.
  pool.on("connect", (client) => client.on("error", () => undefined));

  const connect = async (): Promise<pg.PoolClient> => {
    try {
      return await pool.connect();
    } catch (error) {
      throw classified(error, "connect");
    }
  };

  return {
    async query<Row extends object>(sql: string, values: readonly unknown[] = []) {
      return on(pool).query<Row>(sql, values);
    },
    async transaction(body) {
      const client = await connect();
      let broken: Error | undefined;
      try {
        const connection = on(client);
        await connection.query("begin");
        const result = await body(connection);
        await connection.query("commit");
        return result;
      } catch (error) {
        // Closing the connection rolls back, whatever state it is in.
        broken = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
};

const getTypeParser: typeof pg.types.getTypeParser = (
  id: Parameters<typeof pg.types.getTypeParser>[0],
  format?: "text" | "binary",
) => (id === pg.types.builtins.INT8 ? parseInt8 : pg.types.getTypeParser(id, format));

const on = (client: pg.Pool | pg.PoolClient): Connection => ({
  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      return (await client.query<Row>(sql, [...values])).rows;
    } catch (error) {
      throw classified(error, sql);
    }
  },
});
