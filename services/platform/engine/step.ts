import type { Lane } from "../contract/lane.ts";
import type { DueRow, LaneProgress, RowKey, RowWrite, Subscription } from "../contract/ports.ts";
import { type RowParts, partsOf } from "../contract/row-parts.ts";
import { countOf, type Keyed, type Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { Folded, LaneEffect } from "./fold/fold.ts";
import { composeFor } from "./lookups.ts";
import type { World } from "./engine.ts";
import { examine, examinedTime } from "./poll.ts";
import { announce } from "../runtime/facts.ts";
import type { Item } from "./intake/reorder-buffer.ts";
import { deadLetter, stuckLetter } from "./intake/decode.ts";
import type { Backpressure } from "./time/backpressure.ts";
import type { LoreReader } from "./intake/global-table.ts";
import { countByTopic, follow, type Widths } from "./output/outbox.ts";
import { passFailpoint } from "../runtime/failpoints.ts";
import { foldOver, MAX_TIMERS, rowsFor } from "./fold-batch.ts";
import { nextRoom, remember, type Tenure } from "./assignment.ts";

export interface Turn<Row, Event extends Keyed, Given> {
  readonly processor: Processor<Row, Event, Given>;
  readonly given: Given;
  readonly lore: LoreReader<Given> | null;
  readonly ahead: Backpressure;
  readonly world: World;
  readonly tenure: Tenure<Row, Event>;
  readonly subscription: Subscription;
  readonly lanes: number;
  readonly widths: Widths;
}

/** What one transaction saves, beside the holds. */
interface Outcome<Row, Event> {
  readonly asides: readonly LaneEffect[];
  readonly folded: Folded<Event, Row>;
  readonly rows: Map<string, Row | null>;
  /** Those whose timers the store has for due. */
  readonly due: readonly RowKey[];
  readonly revisit: Millis | null;
}

/**
 * Takes what has arrived, and folds what the stream's time has come to: one transaction, or two where strays and bad
 * records are to be sent on. Returns whether there was anything, or that it was refused.
 */
export const turn = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
): Promise<boolean | "fenced"> => {
  const { tenure, world, processor } = it;
  const started = world.clock.now();
  const isAtOnce = processor.upstream.length === 0;
  const arrived = await examine(it);
  const revisit = learn(it);
  let asides = arrived.asides;
  // Others wait for what is examined here, and nothing is known to be examined before it is sent on for good.
  if (revisit !== null || (!isAtOnce && (asides.length > 0 || (!tenure.isAlone && arrived.isAny)))) {
    if ((await save(it, { ...unfolded(asides), revisit }, started)) === "fenced") return "fenced";
    if (revisit !== null) tenure.nextDue = await world.store.nextDue(processor.name, tenure.lanes);
    asides = [];
  }

  const wanted = Math.min(isAtOnce ? Infinity : tenure.held.first(), tenure.nextDue ?? Infinity);
  if (wanted > tenure.frontier.time() && wanted <= started) await tenure.rounds.advance(started, wanted);

  const { items, due, time } = await dueNow(it, isAtOnce);
  const { rows, fetched } = await rowsFor(it, items, due);
  const folded = await foldOver(it, rows, items, due, time);
  if (items.length > 0) passFailpoint("folded", processor.name);
  const given = items.reduce((sum, { event }) => sum + countOf(event), 0);
  tenure.room = nextRoom(tenure.room, { given, folded: folded.events, fetched }, tenure.share);
  hold(it, items.slice(0, folded.items), due, isAtOnce ? Infinity : folded.time, folded.time);
  const isMoved = [...tenure.holds].some(([lane, now]) => isFurther(now, tenure.saved.get(lane), tenure));
  if (items.length === 0 && due.length === 0 && asides.length === 0 && !isMoved) return arrived.isAny;
  const outcome = { asides, folded, rows, due, revisit: null };
  if ((await save(it, outcome, started)) === "fenced") return "fenced";
  await reschedule(it, folded, due);
  return true;
};

/** Whether others can go on by what has changed of a lane, though nothing of it is folded. */
const isFurther = (
  now: LaneProgress,
  saved: LaneProgress | undefined,
  { held }: Pick<Tenure<unknown, unknown>, "held">,
): boolean => now.cursors !== saved?.cursors || (now.watermark > saved.watermark && held.has(now.lane));

const unfolded = <Row, Event>(asides: readonly LaneEffect[]): Outcome<Row, Event> => ({
  asides,
  folded: { writes: [], effects: [], poisoned: [], stuck: [], timers: 0, items: 0, time: -1, events: 0 },
  rows: new Map(),
  due: [],
  revisit: null,
});

/** Notes that the lanes' timers have been looked at by the lore read so far; since when they haven't yet, if so. */
const learn = <Row, Event extends Keyed, Given>({ tenure, lore }: Turn<Row, Event, Given>): Millis | null => {
  let since = Infinity;
  lore?.reach(tenure.frontier);
  for (const [lane, of] of tenure.holds) {
    const news = lore?.news(of.cursors) ?? null;
    if (news === null) continue;
    tenure.holds.set(lane, { ...of, cursors: { ...of.cursors, ...news.cursors } });
    since = Math.min(since, news.since);
  }
  return since === Infinity ? null : since;
};

/** The time by which all is to be folded now: the stream's, or that before the first that waits, where it feeds one far behind. */
const timeNow = async <Row, Event extends Keyed, Given>({
  tenure: { held, frontier },
  ahead,
}: Turn<Row, Event, Given>): Promise<Millis> => {
  const [come, before] = [frontier.time(), held.first() - 1];
  return before < come && (await ahead.isLong(before)) ? before : come;
};

/** What is to be folded in this turn: items in order, rows whose timers are due, and the time that the stream has come to by it. */
const dueNow = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  isAtOnce: boolean,
): Promise<{ readonly items: readonly Item<Event>[]; readonly due: readonly DueRow[]; readonly time: Millis }> => {
  const { tenure, world, processor } = it;
  const come = isAtOnce ? tenure.frontier.time() : await timeNow(it);
  let due: readonly DueRow[] = [];
  if (tenure.nextDue !== null && tenure.nextDue <= come) {
    due = await world.store.due(processor.name, tenure.lanes, come, MAX_TIMERS);
    // The timer that was expected has been put off meanwhile: when is the next?
    if (due.length === 0) tenure.nextDue = await world.store.nextDue(processor.name, tenure.lanes);
  }
  const last = due.length < MAX_TIMERS ? come : (due.at(-1)?.due ?? come);
  const { items, until } = isAtOnce ? tenure.held.due(Infinity, Infinity) : tenure.held.due(last, tenure.room);
  const time = Math.min(last, until);
  const { rowOf } = partsOf(processor);
  return { items, due: due.flatMap((row) => (row.due <= time ? [{ ...row, key: rowOf(row.key) }] : [])), time };
};

/** The lanes' holds once everything until `until` is folded, and the stream has come to `time`. */
const hold = <Row, Event extends Keyed, Given>(
  { tenure, world }: Turn<Row, Event, Given>,
  items: readonly Item<Event>[],
  due: readonly DueRow[],
  until: Millis,
  time: Millis,
): void => {
  const touched = new Set([...items, ...due].map(({ lane }) => lane));
  for (const [lane, before] of tenure.holds) {
    // What a lane holds back is waited for by its time.
    if (!touched.has(lane) && !tenure.held.has(lane)) continue;
    const now = touched.has(lane) ? tenure.held.take(until, before) : before;
    const examined = examinedTime(before, tenure, world.clock.now());
    tenure.holds.set(lane, { ...now, watermark: Math.max(before.watermark, time), readWatermark: examined });
  }
};

/** Saves what came of it with the lanes as they are now, and hands on what follows. */
const save = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  { asides, folded, rows, due, revisit }: Outcome<Row, Event>,
  started: Millis,
): Promise<"committed" | "fenced"> => {
  const { processor, tenure, world } = it;
  const parts = partsOf(processor);
  const written = new Map(folded.writes.map(({ key, value }) => [key, value]));
  const own = (part: string): unknown => {
    const key = parts.rowOf(part);
    const row = written.get(key) ?? rows.get(key) ?? null;
    return row === null ? undefined : parts.part(row, part);
  };
  const composed = await composeFor(it, folded.effects, own, started);
  const stuck = [...folded.stuck, ...composed.stuck];
  const letters = [
    ...folded.poisoned.map(({ item, error }) => ({
      lane: item.lane,
      letter: deadLetter(item.raw, processor.name, error),
    })),
    ...stuck.map((one) => ({ lane: one.lane, letter: stuckLetter(one, processor.name) })),
  ].map(({ lane, letter: value }): LaneEffect => ({
    lane,
    effect: { type: "publish", topic: "deadLetters", key: "", value },
  }));
  const { outbox, jobs, candidates } = follow(
    processor.name,
    [...asides, ...letters, ...composed.effects],
    world.codec,
    it.widths,
    (lane) => nextSequence(tenure.holds, lane),
  );
  const lanesWritten = new Set(folded.writes.map(({ lane }) => lane));
  const holds = [...tenure.holds.values()].filter(
    (of) => lanesWritten.has(of.lane) || tenure.saved.get(of.lane) !== of,
  );
  const timed = new Set([...due, ...folded.stuck].map(({ key }) => key));
  const changed = partsWritten(parts, folded.writes, timed);
  const commit = { processor: processor.name, lanes: holds, revisit, rows: changed, outbox, jobs };
  if ((await world.store.commit(commit)) === "fenced") return "fenced";
  if (folded.items > 0) passFailpoint("committed", processor.name);
  for (const { value } of folded.writes) if (value !== null) parts.saved(value);

  for (const of of holds) tenure.saved.set(of.lane, of);
  for (const [key, row] of written) rows.set(key, row);
  remember(tenure, rows);
  world.relay.offer(outbox);
  it.ahead.send(outbox.length);
  for (const queue of new Set(jobs.map((job) => job.queue))) world.bell.ring(queue);
  announce("committed", {
    processor: processor.name,
    records: new Map(tenure.taken),
    events: folded.events,
    timers: folded.timers,
    rows: folded.writes.length,
    outbox: countByTopic(outbox),
    jobs: jobs.length,
    candidates,
    duration: world.clock.now() - started,
    lag: tenure.frontier.lag(),
  });
  tenure.taken.clear();
  return "committed";
};

/** What is written of rows: the parts that have changed; of those in `timed` that with the timer, whether or not it has. */
const partsWritten = <Row>(
  parts: RowParts<Row>,
  writes: readonly (RowWrite & { readonly value: Row | null })[],
  timed: ReadonlySet<string>,
): readonly RowWrite[] =>
  writes.flatMap(({ lane, key, value: row, due }) => {
    const timer = parts.timer(key);
    const changed = parts.changed(key, row);
    const isToWrite = timed.has(key) && row !== null && !changed.some(([part]) => part === timer);
    const its = isToWrite ? parts.part(row, timer) : undefined;
    const all = its === undefined ? changed : [...changed, [timer, its] as const];
    return all.map(([part, value]) => ({ lane, key: part, value, due: part === timer ? due : null }));
  });

const nextSequence = (holds: Map<Lane, LaneProgress>, lane: Lane): number => {
  const of = holds.get(lane);
  const sequence = (of?.sequence ?? 0) + 1;
  if (of !== undefined) holds.set(lane, { ...of, sequence });
  return sequence;
};

/** Knows the next timer again: from the store if any was looked at, else from what was written. */
const reschedule = async <Row, Event extends Keyed, Given>(
  { tenure, world, processor }: Turn<Row, Event, Given>,
  folded: Folded<Event, Row>,
  due: readonly DueRow[],
): Promise<void> => {
  if (due.length > 0 || folded.timers > 0) {
    tenure.nextDue = await world.store.nextDue(processor.name, tenure.lanes);
    return;
  }
  for (const { due: at } of folded.writes)
    if (at !== null && (tenure.nextDue === null || at < tenure.nextDue)) tenure.nextDue = at;
};
