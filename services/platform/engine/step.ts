import type { DueRow, LaneProgress } from "../contract/ports.ts";
import { countOf, type Keyed } from "../contract/processor.ts";
import { partsOf } from "../contract/row-parts.ts";
import type { Millis } from "../contract/time.ts";
import { passFailpoint } from "../runtime/failpoints.ts";
import { type Assignment, nextBatchSize, nextDueOf } from "./assignment.ts";
import { nothingFolded } from "./fold/folded.ts";
import { foldBatch, MAX_TIMERS, readRows } from "./fold-batch.ts";
import type { LaneEffect } from "./lane-effect.ts";
import type { PendingEvent } from "./pending-event.ts";
import { poll, readWatermarkOf } from "./poll.ts";
import type { StepContext } from "./step-context.ts";
import { reschedule, save } from "./transaction.ts";

/**
 * One step: poll, watermark, fold, transaction. It takes two transactions where strays and bad records are to be sent on.
 * Returns whether there was anything to do, or that a commit was refused.
 */
export const runStep = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
): Promise<boolean | "fenced"> => {
  const { assignment, world, processor } = context;
  const started = world.clock.now();
  const polled = await poll(context);
  const revisit = noteGlobalTable(context);
  let { rerouted } = polled;
  // Other stages wait for what is read here, and a record counts as read only once its strays are saved.
  const isRead = processor.order === "log time" && (rerouted.length > 0 || (!assignment.isAlone && polled.isAny));
  if (revisit !== null || isRead) {
    if ((await saveRead(context, rerouted, revisit, started)) === "fenced") return "fenced";
    rerouted = [];
  }
  await probeWatermark(context, started);
  const batch = await nextBatch(context);
  const { items, due } = batch;
  const { rows, fetched } = await readRows(context, items, due);
  const folded = await foldBatch(context, rows, items, due, batch.time);
  if (items.length > 0) passFailpoint("folded", processor.name);
  const given = items.reduce((sum, { event }) => sum + countOf(event), 0);
  const { batchSize, memoryShare } = assignment;
  assignment.batchSize = nextBatchSize(batchSize, { given, folded: folded.events, fetched }, memoryShare);
  advanceLanes(context, items.slice(0, folded.items), due, folded.time);
  const isAhead = [...assignment.progress].some(([lane, now]) =>
    isFurther(now, assignment.saved.get(lane), assignment),
  );
  if (items.length === 0 && due.length === 0 && rerouted.length === 0 && !isAhead) return polled.isAny;
  if ((await save(context, { rerouted, folded, rows, due, revisit: null }, started)) === "fenced") return "fenced";
  await reschedule(context, folded, due);
  return true;
};

/** Saves that records are read, and reroutes those that belong elsewhere; nothing is folded by it. */
const saveRead = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
  rerouted: readonly LaneEffect[],
  revisit: Millis | null,
  started: Millis,
): Promise<"committed" | "fenced"> => {
  const { assignment, world, processor } = context;
  const outcome = { rerouted, folded: nothingFolded<Event, Row>(), rows: new Map<string, Row | null>(), due: [] };
  const saved = await save(context, { ...outcome, revisit }, started);
  if (saved === "committed" && revisit !== null)
    assignment.nextDue = await nextDueOf(processor, world.store, assignment.lanes);
  return saved;
};

/** Brings the watermark on where an event or a timer waits for it. */
const probeWatermark = async <Row, Event extends Keyed, Given>(
  { assignment, processor }: StepContext<Row, Event, Given>,
  now: Millis,
): Promise<void> => {
  const { watermark, watermarkProbe, reorderBuffer, nextDue } = assignment;
  const wanted = Math.min(processor.order === "arrival" ? Infinity : reorderBuffer.earliest(), nextDue ?? Infinity);
  if (wanted > watermark.time() && wanted <= now) await watermarkProbe.advance(now, wanted);
};

/** Tells whether other stages can go on by the lane's new progress, though nothing of it is folded. */
const isFurther = (
  now: LaneProgress,
  saved: LaneProgress | undefined,
  { reorderBuffer }: Pick<Assignment<unknown, unknown>, "reorderBuffer">,
): boolean => now.cursors !== saved?.cursors || (now.watermark > saved.watermark && reorderBuffer.has(now.lane));

/**
 * Notes in the lanes' progress that the global table is read so far. Returns the time from which timers are still to be
 * asked anew by its changes; null where nothing has changed.
 */
const noteGlobalTable = <Row, Event extends Keyed, Given>({
  assignment,
  globalTable,
}: StepContext<Row, Event, Given>): Millis | null => {
  let since = Infinity;
  globalTable?.advance(assignment.watermark);
  for (const [lane, progress] of assignment.progress) {
    const changes = globalTable?.changesSince(progress.cursors) ?? null;
    if (changes === null) continue;
    assignment.progress.set(lane, { ...progress, cursors: { ...progress.cursors, ...changes.cursors } });
    since = Math.min(since, changes.since);
  }
  return since === Infinity ? null : since;
};

/** Up to when this step folds: the watermark, or just before the first waiting event where the downstream is full. */
const foldUntil = async <Row, Event extends Keyed, Given>({
  assignment: { reorderBuffer, watermark },
  processor,
  downstream,
}: StepContext<Row, Event, Given>): Promise<Millis> => {
  const [until, before] = [watermark.time(), reorderBuffer.earliest() - 1];
  if (processor.order === "arrival" || before >= until) return until;
  return (await downstream.isExceeded(before)) ? before : until;
};

/** The events to fold now, in order, the rows whose timers are due, and the time that the lanes reach by it. */
const nextBatch = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
): Promise<{
  readonly items: readonly PendingEvent<Event>[];
  readonly due: readonly DueRow[];
  readonly time: Millis;
}> => {
  const { assignment, world, processor } = context;
  const { reorderBuffer, lanes, batchSize } = assignment;
  const most = await foldUntil(context);
  let due: readonly DueRow[] = [];
  if (assignment.nextDue !== null && assignment.nextDue <= most) {
    due = await world.store.due(processor.name, lanes, most, MAX_TIMERS);
    // The timer that was expected has been put off meanwhile.
    if (due.length === 0) assignment.nextDue = await nextDueOf(processor, world.store, lanes);
  }
  const last = due.length < MAX_TIMERS ? most : (due.at(-1)?.due ?? most);
  const isArrival = processor.order === "arrival";
  const { items, until } = isArrival ? reorderBuffer.ready(Infinity, Infinity) : reorderBuffer.ready(last, batchSize);
  const time = Math.min(last, until);
  const { rowOf } = partsOf(processor);
  return { items, due: due.flatMap((row) => (row.due <= time ? [{ ...row, key: rowOf(row.key) }] : [])), time };
};

/** Advances the lanes' progress by the events folded; `time` is the time that everything is folded up to. */
const advanceLanes = <Row, Event extends Keyed, Given>(
  { assignment, world, processor }: StepContext<Row, Event, Given>,
  items: readonly PendingEvent<Event>[],
  due: readonly DueRow[],
  time: Millis,
): void => {
  const { reorderBuffer, progress } = assignment;
  const until = processor.order === "arrival" ? Infinity : time;
  const touched = new Set([...items, ...due].map(({ lane }) => lane));
  for (const [lane, before] of progress) {
    // A lane with waiting events advances too: other stages wait for its watermark.
    if (!touched.has(lane) && !reorderBuffer.has(lane)) continue;
    const now = touched.has(lane) ? reorderBuffer.release(until, before) : before;
    const readWatermark = readWatermarkOf(before, assignment, world.clock.now());
    progress.set(lane, { ...now, watermark: Math.max(before.watermark, time), readWatermark });
  }
};
