import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import type { Database } from "../../contract/database.ts";
import { Fatal, messageOf, Transient } from "../../contract/failure.ts";

const folder = fileURLToPath(new URL("../../../../deploy/migrations", import.meta.url));
const TABLE = "migrations";

/** Names of the migrations that this version of the program knows, in order. */
const known = (): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .map((file) => file.slice(0, -".sql".length))
    .toSorted();

/**
 * Brings the database to this version's tables; returns the migrations that it ran. An advisory lock lets one process
 * migrate at a time.
 * @param schema schema of the tables, created where it does not exist; else the role's own
 */
export const migrate = async (address: string, schema?: string): Promise<readonly string[]> => {
  const ran = await runner({
    databaseUrl: address,
    ...(schema === undefined ? {} : { schema, createSchema: true }),
    dir: folder,
    direction: "up",
    migrationsTable: TABLE,
    log: () => undefined,
  });
  return ran.map(({ name }) => name);
};

/** Checks that the database has this version's migrations, no fewer and no more: services never migrate. Throws Fatal, Transient. */
export const checkSchema = async (database: Database): Promise<void> => {
  const run = await names(database);
  const missing = known().filter((name) => !run.includes(name));
  if (missing.length > 0)
    throw new Fatal(`the database lacks ${missing.join(", ")}: run \`ops migrate\` with this version first`);
  const unknown = run.filter((name) => !known().includes(name));
  if (unknown.length > 0)
    throw new Fatal(`the database has ${unknown.join(", ")}, which this version does not know: start a newer version`);
};

const names = async (database: Database): Promise<readonly string[]> => {
  try {
    return (await database.query<{ name: string }>(`select name from ${TABLE}`)).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Transient) throw error;
    throw new Fatal(`the database is not set up (${messageOf(error)}): run \`ops migrate\` first`);
  }
};
