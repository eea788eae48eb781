import { Fatal } from "../contract/failure.ts";
import type { Lane } from "../contract/lane.ts";
import type { RowKey, Store } from "../contract/ports.ts";
import { countOf, type Keyed, type Processor } from "../contract/processor.ts";
import { partsOf } from "../contract/row-parts.ts";
import type { Millis } from "../contract/time.ts";
import { inChunks, inChunksYielding } from "../runtime/chunks.ts";
import { scaledToHeap } from "../runtime/memory-limits.ts";
import type { Assignment } from "./assignment.ts";
import { type Batch, DirtyRows, startFold } from "./fold/fold.ts";
import type { Folded, Refused } from "./fold/folded.ts";
import type { PendingEvent } from "./pending-event.ts";
import type { StepContext } from "./step-context.ts";

/** The part of a step's context that reading rows takes. */
interface Reading<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly assignment: Pick<Assignment<Row, Event>, "cache">;
  readonly world: { readonly store: Pick<Store, "gather"> };
}

/** Reads the rows that a batch is sure to read; null where there is none. `fetched`: how many were not in memory. */
export const readRows = async <Row, Event extends Keyed, Given>(
  reading: Reading<Row, Event, Given>,
  items: readonly Pick<PendingEvent<Event>, "lane" | "event">[],
  due: readonly RowKey[],
): Promise<{ readonly rows: Map<string, Row | null>; readonly fetched: number }> => {
  const rows = new Map<string, Row | null>();
  const reader = rowReader(reading, rows);
  for (const { lane, event } of items) for (const key of reading.processor.rows(event)) reader.want(lane, key);
  for (const { lane, key } of due) reader.want(lane, key);
  return { rows, fetched: await reader.fetch() };
};

/** Rows that the store is asked for at once. */
const MAX_GATHERED = scaledToHeap(20_000);

/** Puts rows in `rows`: those in memory as soon as they are wanted, the others together, from the store. */
const rowReader = <Row, Event extends Keyed, Given>(
  { processor, assignment, world }: Reading<Row, Event, Given>,
  rows: Map<string, Row | null>,
) => {
  const missing: RowKey[] = [];
  return {
    want(lane: Lane, key: string): void {
      if (rows.has(key)) return;
      const cached = assignment.cache.get(key);
      rows.set(key, cached ?? null);
      if (cached === undefined) missing.push({ lane, key });
    },
    /** Fetches the rows that are not in memory; returns their number. */
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

/** Events folded before others in this process have their turn: clients must answer in time, however large the batch. */
const FOLDED_AT_ONCE = 10_000;

/** Timers folded in one transaction, about. */
export const MAX_TIMERS = 2_000;
/** Size of the effects of one transaction, about (`EffectList.size`): some tens of megabytes. */
const MAX_EFFECTS = scaledToHeap(1_000_000);

/**
 * Folds a batch. Rows that it turns out to read are fetched, and it is folded anew, until none is missing. Where rows are
 * changed in place and a fold fails, all rows are read again and the batch is folded anew without what failed.
 */
export const foldBatch = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
  rows: Map<string, Row | null>,
  items: readonly PendingEvent<Event>[],
  due: readonly RowKey[],
  time: Millis,
): Promise<Folded<Event, Row>> => {
  const { processor, given, assignment } = context;
  const refused: Refused<Event> = new Map();
  // In the order of arrival a batch has no end but that of the records taken.
  const [maxTimers, maxEffects] = processor.order === "arrival" ? [Infinity, Infinity] : [MAX_TIMERS, MAX_EFFECTS];
  const batch: Batch<Row, Event, Given> = { processor, given, rows, due, refused, maxTimers, maxEffects, time };
  for (;;)
    try {
      const folded = await foldOnce(batch, items);
      if (!("missing" in folded)) return folded;
      if (processor.parts !== undefined)
        throw new Fatal(`${processor.name}: rows() does not name ${folded.missing.map(({ key }) => key).join(", ")}`);
      const reader = rowReader(context, rows);
      for (const { lane, key } of folded.missing) reader.want(lane, key);
      await reader.fetch();
    } catch (error) {
      if (!(error instanceof DirtyRows)) throw error;
      const refusedOfKey = refused.get(error.key) ?? new Map<PendingEvent<Event> | Millis, unknown>();
      refused.set(error.key, refusedOfKey.set(error.by as PendingEvent<Event> | Millis, error.cause));
      for (const key of rows.keys()) assignment.cache.delete(key);
      for (const [key, row] of (await readRows(context, items, due)).rows) rows.set(key, row);
    }
};

const foldOnce = async <Row, Event extends Keyed, Given>(
  batch: Batch<Row, Event, Given>,
  items: readonly PendingEvent<Event>[],
) => {
  const fold = startFold(batch);
  for await (const some of inChunksYielding(items, ({ event }) => countOf(event), FOLDED_AT_ONCE))
    if (!fold.fold(some)) break;
  return fold.end();
};
