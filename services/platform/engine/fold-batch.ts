import { Fatal } from "../contract/failure.ts";
import type { Lane } from "../contract/lane.ts";
import type { RowKey, Store } from "../contract/ports.ts";
import { partsOf } from "../contract/row-parts.ts";
import { countOf, type Keyed, type Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { type Folded, folding, type Refused, Spoiled } from "./fold/fold.ts";
import { scaledToHeap } from "../runtime/memory-limits.ts";
import type { Item } from "./intake/reorder-buffer.ts";
import { inChunks, inChunksYielding } from "../runtime/chunks.ts";
import type { Tenure } from "./assignment.ts";
import type { Turn } from "./step.ts";

/** What reading rows takes of a turn. */
interface Reading<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly tenure: Pick<Tenure<Row, Event>, "cache">;
  readonly world: { readonly store: Pick<Store, "gather"> };
}

/** The rows that are sure to be read; null where there is none. And how many of them were not in memory. */
export const rowsFor = async <Row, Event extends Keyed, Given>(
  it: Reading<Row, Event, Given>,
  items: readonly Pick<Item<Event>, "lane" | "event">[],
  due: readonly RowKey[],
): Promise<{ readonly rows: Map<string, Row | null>; readonly fetched: number }> => {
  const rows = new Map<string, Row | null>();
  const reading = reader(it, rows);
  for (const { lane, event } of items) for (const key of it.processor.rows(event)) reading.want(lane, key);
  for (const { lane, key } of due) reading.want(lane, key);
  return { rows, fetched: await reading.fetch() };
};

/** Rows that the store is asked for at once. */
const MAX_GATHERED = scaledToHeap(20_000);

/** Puts rows in `rows`: those in memory as soon as they are wanted, the others together, from the store. */
const reader = <Row, Event extends Keyed, Given>(
  { processor, tenure, world }: Reading<Row, Event, Given>,
  rows: Map<string, Row | null>,
) => {
  const missing: RowKey[] = [];
  return {
    want(lane: Lane, key: string): void {
      if (rows.has(key)) return;
      const cached = tenure.cache.get(key);
      rows.set(key, cached ?? null);
      if (cached === undefined) missing.push({ lane, key });
    },
    /** How many those were. */
    async fetch(): Promise<number> {
      const parts = partsOf(processor);
      for (const some of inChunks(missing, () => 1, MAX_GATHERED)) {
        const spans = some.map(({ lane, key }) => ({ lane, ...parts.span(key) }));
        const gathered = await world.store.gather(processor.name, spans);
        some.forEach(({ key }, index) => rows.set(key, parts.assemble(key, gathered[index] ?? new Map()) ?? null));
      }
      return missing.length;
    },
  };
};

/** Events folded before others in this process have their turn: clients must answer in time, whatever a batch has. */
const FOLDED_AT_ONCE = 10_000;

/** Timers folded in one transaction, about. */
export const MAX_TIMERS = 2_000;
/** Effects that follow from one transaction, about, recipients one by one: some tens of megabytes. */
const MAX_FOLLOWING = scaledToHeap(1_000_000);

/**
 * Folds the batch; what it turns out to read beyond the rows at hand is fetched, until nothing lacks. Where rows are
 * changed in place, one that a failed fold may have spoiled is read again, and all is folded anew without what failed.
 */
export const foldOver = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  rows: Map<string, Row | null>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
  time: Millis,
): Promise<Folded<Event, Row>> => {
  const refused: Refused<Event> = new Map();
  // Who folds records as they come takes all that have come.
  const [maxTimers, maxFollowing] =
    it.processor.upstream.length === 0 ? [Infinity, Infinity] : [MAX_TIMERS, MAX_FOLLOWING];
  for (;;)
    try {
      const batch = folding(it.processor, it.given, rows, { due, refused, maxTimers, maxFollowing }, time);
      for await (const some of inChunksYielding(items, ({ event }) => countOf(event), FOLDED_AT_ONCE))
        if (!batch.fold(some)) break;
      const folded = batch.end();
      if (!("lacking" in folded)) return folded;
      if (it.processor.parts !== undefined)
        throw new Fatal(
          `${it.processor.name}: rows() does not name ${folded.lacking.map(({ key }) => key).join(", ")}`,
        );
      const reading = reader(it, rows);
      for (const { lane, key } of folded.lacking) reading.want(lane, key);
      await reading.fetch();
    } catch (error) {
      if (!(error instanceof Spoiled)) throw error;
      const its = refused.get(error.key) ?? new Map<Item<Event> | Millis, unknown>();
      refused.set(error.key, its.set(error.by, error.cause));
      for (const key of rows.keys()) it.tenure.cache.delete(key);
      for (const [key, row] of (await rowsFor(it, items, due)).rows) rows.set(key, row);
    }
};
