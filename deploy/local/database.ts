import pg from "pg";
import { LocalStackError } from "./errors.ts";

const CONNECT_MS = 2_000;
const DUPLICATE_DATABASE = "42P04";
const INVALID_PASSWORD = "28P01";
const INSUFFICIENT_PRIVILEGE = "42501";

/** Tells whether a PostgreSQL answers a query. Throws when it refuses the password, which no wait will mend. */
export async function answers(url: string): Promise<boolean> {
  try {
    await query(url, "SELECT 1");
    return true;
  } catch (error) {
    if (code(error) !== INVALID_PASSWORD) return false;
    throw new LocalStackError(
      "PostgreSQL refuses the password in postgres.password: restore the password that its data was made with, or delete both",
    );
  }
}

/** Creates a database unless it exists. Throws LocalStackError when the user may not. */
export async function createDatabase(url: string, name: string): Promise<void> {
  if (await exists(url, name)) return;
  try {
    await query(url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if (code(error) === DUPLICATE_DATABASE) return; // another process created it meanwhile
    if (code(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new LocalStackError(
      `The registry needs a database ${name} beside that of DATABASE_URL, whose user may not create one: create it, or` +
        " name a registry by SCHEMA_REGISTRY_URL",
    );
  }
}

async function exists(url: string, name: string): Promise<boolean> {
  return (await query(url, "SELECT 1 FROM pg_database WHERE datname = $1", [name])).rowCount === 1;
}

async function query(url: string, sql: string, values: string[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  client.on("error", () => undefined); // the server may stop while we disconnect
  try {
    await client.connect();
    return await client.query(sql, values);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function code(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}
