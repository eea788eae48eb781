import type { Connection } from "../../platform/contract/database.ts";
import { Fatal } from "../../platform/contract/failure.ts";
import { REBUILD } from "./apart.ts";
import type { Schemas, Stateful } from "./rows.ts";

/** Schema that holds the old tables during the swap. */
const BEFORE = `${REBUILD}_before`;

const tableOf = (processor: Stateful): string => `state_${processor}`;

/**
 * Gives the rebuilt state tables the place and the privileges of the live ones, and drops the old ones. No row is copied.
 * Readers wait until the transaction ends.
 */
export const swapTables = async (
  connection: Connection,
  { live, rebuilt }: Schemas,
  processors: readonly Stateful[],
): Promise<void> => {
  await connection.query(`create schema ${BEFORE}`);
  for (const table of processors.map(tableOf)) {
    const grants = await grantsOf(connection, `${live}.${table}`);
    await connection.query(`alter table ${live}.${table} set schema ${BEFORE}`);
    await connection.query(`alter table ${rebuilt}.${table} set schema ${live}`);
    for (const { privilege, grantee, option } of grants)
      await connection.query(`grant ${privilege} on ${live}.${table} to ${grantee}${option}`);
    const [owner] = await connection.query<{ name: string }>(
      `select quote_ident(pg_get_userbyid(relowner)) as name from pg_class where oid = '${BEFORE}.${table}'::regclass
       and relowner <> (select relowner from pg_class where oid = '${live}.${table}'::regclass)`,
    );
    if (owner !== undefined) await connection.query(`alter table ${live}.${table} owner to ${owner.name}`);
  }
  await connection.query(`drop schema ${BEFORE} cascade`);
};

interface Grant {
  readonly privilege: string;
  readonly grantee: string;
  readonly option: string;
}

/** Lists privileges of roles other than the owner. */
const grantsOf = (connection: Connection, table: string): Promise<readonly Grant[]> =>
  connection.query<Grant>(
    `select a.privilege_type as privilege, case when a.is_grantable then ' with grant option' else '' end as option,
       case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
     from pg_class c, aclexplode(c.relacl) a where c.oid = $1::regclass and a.grantee <> c.relowner`,
    [table],
  );

/** Throws Fatal if a live table has indexes, options or triggers that no migration made. A switch would lose them. */
export const checkTables = async (
  connection: Connection,
  { live, rebuilt }: Schemas,
  processors: readonly Stateful[],
): Promise<void> => {
  for (const table of processors.map(tableOf)) {
    const [mine, theirs] = [await traits(connection, live, table), await traits(connection, rebuilt, table)];
    const more = mine.filter((trait) => !theirs.includes(trait));
    if (more.length > 0)
      throw new Fatal(
        `the table ${live}.${table} has parts that no migration made: ${more.join("; ")}. A switch would lose them: drop them first, and create them again afterwards`,
      );
  }
};

const traits = async (connection: Connection, schema: string, table: string): Promise<readonly string[]> => {
  const found = await connection.query<{ trait: string }>(
    `select replace(pg_get_indexdef(indexrelid), $1::text || '.', '') as trait from pg_index where indrelid = $2::regclass
     union all select unnest(reloptions) from pg_class where oid = $2::regclass
     union all select 'trigger ' || tgname from pg_trigger where tgrelid = $2::regclass and not tgisinternal
     union all select 'publication ' || p.pubname from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
       where r.prrelid = $2::regclass`,
    [schema, `${schema}.${table}`],
  );
  return found.map(({ trait }) => trait);
};
