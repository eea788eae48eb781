/** One connection, in or out of a transaction. Every call throws Transient for what may pass, Fatal for what won't. */
export interface Connection {
  /** Rows as objects; bigints come as numbers, json as data. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** PostgreSQL. */
export interface Database extends Connection, AsyncDisposable {
  /** Runs `body` in one transaction; what it throws rolls back. A commit with unknown result throws Transient. */
  transaction<T>(body: (connection: Connection) => Promise<T>): Promise<T>;
}
