import type { Lane } from "../contract/lane.ts";
import type { DueRow, LaneProgress, RowKey, RowWrite } from "../contract/ports.ts";
import type { Keyed } from "../contract/processor.ts";
import { partsOf, type RowParts } from "../contract/row-parts.ts";
import type { Millis } from "../contract/time.ts";
import { announce } from "../runtime/facts.ts";
import { passFailpoint } from "../runtime/failpoints.ts";
import { nextDueOf, remember } from "./assignment.ts";
import type { Folded } from "./fold/folded.ts";
import { deadLetter, publishLetter, stuckLetter } from "./intake/dead-letter.ts";
import type { LaneEffect, Stuck } from "./lane-effect.ts";
import { composeEffects } from "./lookups.ts";
import { countByTopic, type EncodedEffects, encodeEffects } from "./output/outbox.ts";
import type { StepContext } from "./step-context.ts";

/** Everything that one transaction saves, beside the lanes' progress. */
export interface Outcome<Row, Event> {
  /** Strays and dead letters of the records read. */
  readonly rerouted: readonly LaneEffect[];
  readonly folded: Folded<Event, Row>;
  /** Rows as they were read. */
  readonly rows: Map<string, Row | null>;
  /** Rows whose timers are due by the store. */
  readonly due: readonly RowKey[];
  /** Time from which every timer of the lanes is to be asked anew; null: none. */
  readonly revisit: Millis | null;
}

/** Saves an outcome with the lanes' progress in one transaction, and hands on what follows from it. */
export const save = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
  outcome: Outcome<Row, Event>,
  started: Millis,
): Promise<"committed" | "fenced"> => {
  const { processor, world } = context;
  const encoded = await encode(context, outcome, started);
  const lanes = lanesToSave(context, outcome);
  const commit = {
    processor: processor.name,
    lanes,
    revisit: processor.isStateless === true ? null : outcome.revisit,
    rows: partWrites(partsOf(processor), outcome),
    outbox: encoded.outbox,
    jobs: encoded.jobs,
  };
  if ((await world.store.commit(commit)) === "fenced") return "fenced";
  if (outcome.folded.items > 0) passFailpoint("committed", processor.name);
  keep(context, outcome, lanes);
  handOn(context, encoded);
  report(context, outcome, encoded, started);
  return "committed";
};

/** Composes and encodes the effects, and the letters about what the rule can't take. */
const encode = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
  { rerouted, folded, rows }: Outcome<Row, Event>,
  started: Millis,
): Promise<EncodedEffects> => {
  const { processor, assignment, world, widths } = context;
  const { codec, product } = world;
  const parts = partsOf(processor);
  const written = new Map(folded.writes.map(({ key, value }) => [key, value]));
  const own = (part: string): unknown => {
    const key = parts.rowOf(part);
    const row = written.get(key) ?? rows.get(key) ?? null;
    return row === null ? undefined : parts.part(row, part);
  };
  const composed = await composeEffects(context, folded.effects, own, started);
  const letters = lettersOf(context, folded, [...folded.stuck, ...composed.stuck]);
  const next = (lane: Lane): number => nextSequence(assignment.progress, lane);
  return encodeEffects([...rerouted, ...letters, ...composed.effects], { processor, codec, product, widths, next });
};

const lettersOf = <Row, Event extends Keyed, Given>(
  { processor: { name }, world: { product } }: StepContext<Row, Event, Given>,
  folded: Folded<Event, Row>,
  stuck: readonly Stuck[],
): readonly LaneEffect[] => [
  ...folded.poisoned.map(({ item, error }) =>
    publishLetter(item.lane, deadLetter(item.raw, name, error, product), product),
  ),
  ...stuck.map((one) => publishLetter(one.lane, stuckLetter(one, name), product)),
];

const nextSequence = (progress: Map<Lane, LaneProgress>, lane: Lane): number => {
  const before = progress.get(lane);
  const sequence = (before?.sequence ?? 0) + 1;
  if (before !== undefined) progress.set(lane, { ...before, sequence });
  return sequence;
};

/** Progress of the lanes that have changed, or have rows written: those must be ours still. */
const lanesToSave = <Row, Event extends Keyed, Given>(
  { assignment }: StepContext<Row, Event, Given>,
  { folded }: Outcome<Row, Event>,
): readonly LaneProgress[] => {
  const written = new Set(folded.writes.map(({ lane }) => lane));
  return [...assignment.progress.values()].filter(
    (lane) => written.has(lane.lane) || assignment.saved.get(lane.lane) !== lane,
  );
};

/** The parts of rows that have changed; where a row's timer is due or stuck, its timer's part whether or not it has. */
const partWrites = <Row, Event>(parts: RowParts<Row>, { folded, due }: Outcome<Row, Event>): readonly RowWrite[] => {
  const timed = new Set([...due, ...folded.stuck].map(({ key }) => key));
  return folded.writes.flatMap(({ lane, key, value: row, due: at }) => {
    const timer = parts.timer(key);
    const changed = parts.changed(key, row);
    const isTimerWritten = !timed.has(key) || row === null || changed.some(([part]) => part === timer);
    const timerPart = isTimerWritten ? undefined : parts.part(row, timer);
    const all = timerPart === undefined ? changed : [...changed, [timer, timerPart] as const];
    return all.map(([part, value]) => ({ lane, key: part, value, due: part === timer ? at : null }));
  });
};

/** Keeps the state of the commit in memory. */
const keep = <Row, Event extends Keyed, Given>(
  { processor, assignment }: StepContext<Row, Event, Given>,
  { folded, rows }: Outcome<Row, Event>,
  lanes: readonly LaneProgress[],
): void => {
  const parts = partsOf(processor);
  for (const { value } of folded.writes) if (value !== null) parts.saved(value);
  for (const lane of lanes) assignment.saved.set(lane.lane, lane);
  for (const { key, value } of folded.writes) rows.set(key, value);
  remember(assignment, rows);
};

/** Hands records to the relay, and wakes the workers of queues with new jobs. */
const handOn = <Row, Event extends Keyed, Given>(
  { world, downstream }: StepContext<Row, Event, Given>,
  { outbox, jobs }: EncodedEffects,
): void => {
  world.relay.offer(outbox);
  downstream.send(outbox.length);
  for (const queue of new Set(jobs.map((job) => job.queue))) world.wakeups.wake(queue);
};

const report = <Row, Event extends Keyed, Given>(
  { processor, assignment, world }: StepContext<Row, Event, Given>,
  { folded }: Outcome<Row, Event>,
  { outbox, jobs, counts }: EncodedEffects,
  started: Millis,
): void => {
  announce("committed", {
    processor: processor.name,
    records: new Map(assignment.recordsRead),
    events: folded.events,
    timers: folded.timers,
    rows: folded.writes.length,
    outbox: countByTopic(outbox),
    jobs: jobs.length,
    counts,
    duration: world.clock.now() - started,
    lag: assignment.watermark.lag(),
  });
  assignment.recordsRead.clear();
};

/** Finds the next timer: in the store where any was due or has fired, else among the rows written. */
export const reschedule = async <Row, Event extends Keyed, Given>(
  { assignment, world, processor }: StepContext<Row, Event, Given>,
  folded: Folded<Event, Row>,
  due: readonly DueRow[],
): Promise<void> => {
  if (due.length > 0 || folded.timers > 0) {
    assignment.nextDue = await nextDueOf(processor, world.store, assignment.lanes);
    return;
  }
  for (const { due: at } of folded.writes)
    if (at !== null && (assignment.nextDue === null || at < assignment.nextDue)) assignment.nextDue = at;
};
