import type { Lookup } from "../core/effect.ts";
import { type Lane, laneOf } from "../core/lane.ts";
import type { Hold, RawRecord, RowKey, Slice, Subscription } from "../core/ports.ts";
import type { Keyed, Processor } from "../core/processor.ts";
import type { Millis } from "../core/time.ts";
import {
  composeAll,
  type Folded,
  foldBatch,
  inOrder,
  type Item,
  type LaneEffect,
  lookupName,
  lookupsOf,
} from "./batch.ts";
import type { World } from "./engine.ts";
import { announce } from "./facts.ts";
import { deadLetter, prepare, take, type Taken } from "./intake.ts";
import { countByTopic, follow } from "./outgoing.ts";
import { SEQUENCE_HEADER, STREAM_HEADER } from "./relay.ts";
import { cursorName, remember, type Tenure } from "./tenure.ts";

/** Records folded in one transaction, about. */
const MAX_RECORDS = 500;
/** Timers folded in one transaction. */
const MAX_TIMERS = 1_000;

export interface Turn<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly given: Given;
  readonly world: World;
  readonly tenure: Tenure<Row>;
  readonly subscription: Subscription;
  readonly lanes: number;
  readonly inboxLanes: number;
}

/** Records of one place, after what was had before is dropped. */
interface Share<Event> {
  readonly lane: Lane;
  readonly taken: readonly Taken<Event>[];
}

/** One transaction: what has arrived, what is due, what follows. Returns whether there was anything, or that it was refused. */
export const turn = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
): Promise<boolean | "fenced"> => {
  const { processor, world, tenure, lanes } = it;
  const { clock, store, codec } = world;
  const started = clock.now();
  // Nothing but a timer needs the exact time.
  if (tenure.nextDue !== null && tenure.nextDue <= started) await tenure.rounds.advance(started);

  const slices = it.subscription.take(MAX_RECORDS);
  const holds = new Map(tenure.holds);
  const raws = slices.map((slice) => fresh(slice, holds, lanes));
  await prepare(raws.flat(), codec);
  const shares = slices.map((slice, index): Share<Event> => {
    const lane = slice.place.partition % lanes;
    const taken = (raws[index] ?? []).map((raw) => take(raw, processor, codec, lanes));
    tenure.horizon.reach(
      slice.place,
      slice.next,
      taken.reduce((latest, { at }) => Math.max(latest, at), -Infinity),
    );
    return { lane, taken };
  });

  const items = inOrder(shares);
  const due = await dueRows(it, started);
  if (slices.length === 0 && due.length === 0) return false;

  const rows = await rowsFor(it, items, due);
  const folded = await foldOver(it, rows, items, due);
  const asides = [
    ...shares.flatMap(({ lane, taken }) => taken.flatMap((one) => aside(one, lane, it))),
    ...folded.poisoned.map(({ item, error }) => letterFor(item, error, processor.name)),
  ];
  const written = new Map(folded.writes.map(({ key, value }) => [key, value]));
  const effects = await composed(it, folded.effects, (key) => written.get(key) ?? rows.get(key) ?? null);

  const { outbox, jobs, candidates } = follow(processor.name, [...asides, ...effects], codec, it.inboxLanes, (lane) => {
    const sequence = (holds.get(lane)?.sequence ?? 0) + 1;
    edit(holds, lane, { sequence });
    return sequence;
  });
  const commit = {
    processor: processor.name,
    holds: touched(tenure.holds, holds, folded.writes),
    rows: folded.writes,
    outbox,
    jobs,
  };
  if ((await store.commit(commit)) === "fenced") return "fenced";

  for (const [lane, hold] of holds) tenure.holds.set(lane, hold);
  for (const [key, row] of written) rows.set(key, row);
  remember(tenure.cache, rows);
  world.relay.offer(outbox);
  for (const queue of new Set(jobs.map((job) => job.queue))) world.bell.ring(queue);
  await reschedule(it, folded, due);
  announce("committed", {
    processor: processor.name,
    records: countByTopic(raws.flat()),
    events: items.length,
    timers: folded.timers,
    rows: folded.writes.length,
    outbox: countByTopic(outbox),
    jobs: jobs.length,
    candidates,
    duration: clock.now() - started,
    lag: tenure.horizon.lag(),
  });
  return true;
};

const edit = (holds: Map<Lane, Hold>, lane: Lane, change: Partial<Hold>): void => {
  const hold = holds.get(lane);
  if (hold !== undefined) holds.set(lane, { ...hold, ...change });
};

/** The holds that the transaction must own: those that changed, and those of every lane it writes to. */
const touched = (
  before: ReadonlyMap<Lane, Hold>,
  after: ReadonlyMap<Lane, Hold>,
  writes: readonly RowKey[],
): Hold[] => {
  const written = new Set(writes.map(({ lane }) => lane));
  return [...after.values()].filter((hold) => written.has(hold.lane) || before.get(hold.lane) !== hold);
};

/** Drops what was had before, by offset and by the sender's sequence, and notes in `holds` how far it goes now. */
const fresh = (slice: Slice, holds: Map<Lane, Hold>, lanes: number): readonly RawRecord[] => {
  const lane = slice.place.partition % lanes;
  const hold = holds.get(lane);
  if (hold === undefined) return [];
  const name = cursorName(slice.place);
  let from = hold.cursors[name] ?? 0;
  const heard = { ...hold.heard };
  const decoder = new TextDecoder();
  const kept = slice.records.filter((raw) => {
    if (raw.offset < from) return false; // had before, or delivered twice
    from = raw.offset + 1;
    const stream = raw.headers[STREAM_HEADER];
    if (stream === undefined) return true;
    const sender = `${cursorName(slice.place)}<${decoder.decode(stream)}`;
    const sequence = Number(decoder.decode(raw.headers[SEQUENCE_HEADER]));
    if (!Number.isSafeInteger(sequence)) return true; // not ours, whatever it calls itself
    if (sequence <= (heard[sender] ?? 0)) return false;
    heard[sender] = sequence;
    return true;
  });
  edit(holds, lane, { cursors: { ...hold.cursors, [name]: Math.max(from, slice.next) }, heard });
  return kept;
};

/** What a record leads to that never reaches the fold. */
const aside = <Row, Event extends Keyed, Given>(
  taken: Taken<Event>,
  lane: Lane,
  it: Turn<Row, Event, Given>,
): readonly LaneEffect[] => {
  if (taken.kind === "poison")
    return [{ lane, effect: { type: "publish", topic: "deadLetters", key: "", value: taken.letter } }];
  if (taken.kind === "stray" && it.processor.strays !== null)
    return [
      { lane, effect: { type: "forward", topic: it.processor.strays, partition: taken.lane, stray: taken.stray } },
    ];
  return [];
};

const letterFor = <Event>({ lane, raw }: Item<Event>, error: unknown, processor: string): LaneEffect => ({
  lane,
  effect: { type: "publish", topic: "deadLetters", key: "", value: deadLetter(raw, processor, error) },
});

/** Rows whose timers the stream's time has come to. */
const dueRows = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  now: Millis,
): Promise<readonly RowKey[]> => {
  const { tenure, world, processor } = it;
  if (tenure.nextDue === null || tenure.nextDue > now) return [];
  const byTime = Map.groupBy(tenure.lanes, (lane) => tenure.horizon.time(lane));
  const found: RowKey[] = [];
  let isPast = true;
  for (const [time, lanes] of byTime)
    if (time >= tenure.nextDue) found.push(...(await world.store.due(processor.name, lanes, time, MAX_TIMERS)));
    else isPast = false;
  // The timer that was expected has been put off meanwhile: when is the next?
  if (isPast && found.length === 0) tenure.nextDue = await world.store.nextDue(processor.name, tenure.lanes);
  return found;
};

/** The rows that are sure to be read, from memory or the store; null where there is none. */
const rowsFor = async <Row, Event extends Keyed, Given>(
  { processor, tenure, world }: Turn<Row, Event, Given>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
): Promise<Map<string, Row | null>> => {
  const wanted = new Map<string, RowKey>();
  for (const { lane, event } of items) for (const key of processor.rows(event)) wanted.set(key, { lane, key });
  for (const { lane, key } of due) wanted.set(key, { lane, key });
  const rows = new Map<string, Row | null>();
  await fetch([...wanted.values()], rows, processor.name, tenure, world);
  return rows;
};

const fetch = async <Row>(
  wanted: readonly RowKey[],
  rows: Map<string, Row | null>,
  processor: string,
  tenure: Tenure<Row>,
  { store }: World,
): Promise<void> => {
  const missing: RowKey[] = [];
  for (const row of wanted) {
    const cached = tenure.cache.get(row.key);
    if (cached === undefined) missing.push(row);
    else rows.set(row.key, cached);
  }
  const loaded = missing.length === 0 ? [] : await store.load(processor, missing);
  missing.forEach(({ key }, index) => rows.set(key, (loaded[index] as Row | undefined) ?? null));
};

/** Folds the batch; what it turns out to read beyond the rows at hand is fetched, until nothing lacks. */
const foldOver = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  rows: Map<string, Row | null>,
  items: readonly Item<Event>[],
  due: readonly RowKey[],
): Promise<Folded<Event, Row>> => {
  for (;;) {
    const folded = foldBatch(it.processor, it.given, rows, items, due, it.tenure.horizon.time);
    if (!("lacking" in folded)) return folded;
    await fetch(folded.lacking, rows, it.processor.name, it.tenure, it.world);
  }
};

/** Effects with each Compose carried out: own rows as they are after the fold, others as the store has them. */
const composed = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  effects: readonly LaneEffect[],
  own: (key: string) => Row | null,
): Promise<readonly LaneEffect[]> => {
  const { processor, world } = it;
  const found = new Map<string, unknown>();
  for (const [name, lookups] of Map.groupBy(lookupsOf(effects), (lookup) => lookup.processor)) {
    const keys = await Promise.all(
      lookups.map(async ({ home, id, key }) => ({ lane: laneOf(id, await world.log.partitions(home)), key })),
    );
    const values = await world.store.load(name, keys);
    lookups.forEach((lookup, index) => {
      const mine = name === processor.name ? own(lookup.key) : null;
      found.set(lookupName(lookup), mine ?? values[index]);
    });
  }
  return composeAll(processor, effects, (lookup: Lookup) => found.get(lookupName(lookup)));
};

/** Knows the next timer again: from the store if any fired, else from what was written. */
const reschedule = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  folded: Folded<Event, Row>,
  due: readonly RowKey[],
): Promise<void> => {
  const { tenure, world, processor } = it;
  if (due.length > 0 || folded.timers > 0) {
    tenure.nextDue = await world.store.nextDue(processor.name, tenure.lanes);
    return;
  }
  for (const { due: at } of folded.writes)
    if (at !== null && (tenure.nextDue === null || at < tenure.nextDue)) tenure.nextDue = at;
};
