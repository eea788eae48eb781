import { isDeepStrictEqual } from "node:util";
import type { Connection, Database } from "../../platform/contract/database.ts";
import type { Lane } from "../../platform/contract/lane.ts";
import type { Millis } from "../../platform/contract/time.ts";

/** Kinds of rows by the beginnings of their keys, by processor. */
const kinds = {
  conversations: { c: "conversation", r: "recent", m: "message" },
  inboxes: { u: "profile", o: "user", t: "thread" },
  mailer: { "": "preference" },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type Stateful = keyof typeof kinds;

/** The schemas of the two states, as SQL names. */
export interface Schemas {
  readonly live: string;
  readonly rebuilt: string;
}

export interface State {
  readonly value: unknown;
  readonly due: Millis | null;
}

/** A row in both states; null where a state lacks it. */
export interface Pair {
  readonly processor: Stateful;
  readonly kind: string;
  readonly lane: Lane;
  readonly key: string;
  readonly live: State | null;
  readonly rebuilt: State | null;
}

/** Counts of rows of a kind: all in either state, those whose latest change live lacks, and differing ones not read. */
export interface Tally {
  readonly kind: string;
  readonly rows: number;
  readonly ahead: number;
  readonly unlooked: number;
}

/** Limit of differing pairs that are read. */
const MAX_PAIRS = 10_000;

/** Length of the part of a key that names the kind of its row. */
const widthOf = (processor: Stateful): number => Math.max(...Object.keys(kinds[processor]).map(({ length }) => length));

const kindOf = (processor: Stateful, key: string): string =>
  (kinds[processor] as Readonly<Record<string, string>>)[key.slice(0, widthOf(processor))] ?? "other";

const DIFFER = "l.value::text is distinct from r.value::text or l.due is distinct from r.due";

/** Reads both states as of one moment. JSON is compared as text; `isSame` sorts out texts that differ in order only. */
const atOneMoment = <T>(database: Database, ask: (connection: Connection) => Promise<T>): Promise<T> =>
  database.transaction(async (connection) => {
    await connection.query("set transaction isolation level repeatable read, read only");
    return ask(connection);
  });

const joined = (processor: Stateful, { live, rebuilt }: Schemas): string =>
  `${live}.state_${processor} l full join ${rebuilt}.state_${processor} r using (lane, key)`;

/**
 * Counts all rows, and reads those with different texts one by one, until MAX_PAIRS are found that differ.
 * @param isAhead whether live can't have the row's latest change yet; such a row is counted and not compared
 */
export const compareRows = (
  database: Database,
  schemas: Schemas,
  processors: readonly Stateful[],
  isAhead: (pair: Pair) => boolean,
): Promise<{ readonly tallies: readonly Tally[]; readonly pairs: readonly Pair[] }> =>
  atOneMoment(database, async (connection) => {
    const tallies: Tally[] = [];
    const pairs: Pair[] = [];
    for (const processor of processors) {
      const counts = await connection.query<{ first: string; rows: number; different: number }>(
        `select left(key, ${widthOf(processor)}) as first, count(*) as rows, count(*) filter (where ${DIFFER}) as different
         from ${joined(processor, schemas)} group by 1`,
      );
      const settled = { ahead: new Map<string, number>(), same: new Map<string, number>() };
      for await (const one of differing(connection, processor, schemas)) {
        if (pairs.length >= MAX_PAIRS) break;
        const count = isSame(one) ? settled.same : isAhead(one) ? settled.ahead : null;
        if (count === null) pairs.push(one);
        else count.set(one.kind, (count.get(one.kind) ?? 0) + 1);
      }
      for (const [first, kind] of Object.entries(kinds[processor])) {
        const { rows, different } = counts.find((each) => each.first === first) ?? { rows: 0, different: 0 };
        const looked = pairs.filter((each) => each.kind === kind).length;
        const ahead = settled.ahead.get(kind) ?? 0;
        const unlooked = different - looked - ahead - (settled.same.get(kind) ?? 0);
        tallies.push({ kind, rows, ahead, unlooked });
      }
    }
    return { tallies, pairs };
  });

/** Rows fetched at once. */
const PAGE = 1_000;

async function* differing(connection: Connection, processor: Stateful, schemas: Schemas): AsyncGenerator<Pair> {
  await connection.query(
    `declare differing_${processor} no scroll cursor for ${SELECT} from ${joined(processor, schemas)} where ${DIFFER} order by key, lane`,
  );
  for (;;) {
    const page = await connection.query<Found>(`fetch ${PAGE} from differing_${processor}`);
    if (page.length === 0) return; // the cursor ends with the transaction
    yield* page.map(pair(processor));
  }
}

/** Reads the same rows again from both states. */
export const readPairs = (database: Database, schemas: Schemas, wanted: readonly Pair[]): Promise<readonly Pair[]> =>
  atOneMoment(database, async (connection) => {
    const pairs: Pair[] = [];
    for (const [processor, some] of Map.groupBy(wanted, (each) => each.processor)) {
      const found = await connection.query<Found>(
        `${SELECT} from unnest($1::int[], $2::text[]) wanted (lane, key)
         left join ${schemas.live}.state_${processor} l using (lane, key)
         left join ${schemas.rebuilt}.state_${processor} r using (lane, key)`,
        [some.map(({ lane }) => lane), some.map(({ key }) => key)],
      );
      pairs.push(...found.map(pair(processor)));
    }
    return pairs;
  });

interface Found {
  readonly lane: Lane;
  readonly key: string;
  readonly hasLive: boolean;
  readonly hasRebuilt: boolean;
  readonly live: unknown;
  readonly liveDue: Millis | null;
  readonly rebuilt: unknown;
  readonly rebuiltDue: Millis | null;
}

const SELECT = `select lane, key, l.value is not null as "hasLive", r.value is not null as "hasRebuilt",
  l.value as live, l.due as "liveDue", r.value as rebuilt, r.due as "rebuiltDue"`;

const pair =
  (processor: Stateful) =>
  ({ lane, key, hasLive, hasRebuilt, live, liveDue, rebuilt, rebuiltDue }: Found): Pair => ({
    processor,
    kind: kindOf(processor, key),
    lane,
    key,
    live: hasLive ? { value: live, due: liveDue } : null,
    rebuilt: hasRebuilt ? { value: rebuilt, due: rebuiltDue } : null,
  });

/** Tells if both states have the same row, in any order of names. */
export const isSame = ({ live, rebuilt }: Pair): boolean => isDeepStrictEqual(live, rebuilt);

export const pairName = ({ processor, lane, key }: Pick<Pair, "processor" | "lane" | "key">): string =>
  `${processor} ${lane} ${key}`;
