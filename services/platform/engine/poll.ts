import { setImmediate as others } from "node:timers/promises";
import type { Lane } from "../contract/lane.ts";
import type { FetchedRecords, LaneProgress, RawRecord } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import { nameOfPartition, type TopicPartition } from "../contract/topic-partition.ts";
import type { Product } from "../contract/topic.ts";
import { SEQUENCE_HEADER, STREAM_HEADER } from "../contract/stream.ts";
import { SKEW } from "../runtime/machine-clock.ts";
import { scaledToHeap } from "../runtime/memory-limits.ts";
import type { Assignment } from "./assignment.ts";
import { publishLetter } from "./intake/dead-letter.ts";
import { type Decoded, decodeRecord, type Origin, prepare } from "./intake/decode.ts";
import type { LaneEffect } from "./lane-effect.ts";
import { countByTopic } from "./output/outbox.ts";
import type { StepContext } from "./step-context.ts";

/** Records taken before others in this process have their turn. */
const TAKEN_AT_ONCE = scaledToHeap(10_000);
/** Records taken in a step, about: reading is ahead of folding, so that the watermark is probed but now and then. */
const MAX_TAKEN = scaledToHeap(50_000);

/** The outcome of reading. */
export interface Polled {
  /** True: some records had arrived. */
  readonly isAny: boolean;
  /** Strays on their way to their lanes, and dead letters. */
  readonly rerouted: readonly LaneEffect[];
}

/**
 * Takes the records that have arrived. Events of these lanes wait in the reorder buffer for the watermark. Strays and dead
 * letters are rerouted at once, and once: `assignment.progress` says up to where, and is saved with `rerouted`.
 */
export const poll = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
): Promise<Polled> => {
  const rerouted: LaneEffect[] = [];
  let taken = 0;
  for (;;) {
    const some = await pollSome(context);
    for (const effect of some.rerouted) rerouted.push(effect);
    taken += some.count;
    // In the order of arrival, all records taken are folded in one transaction.
    const isEnough = some.count < TAKEN_AT_ONCE || taken >= MAX_TAKEN || context.processor.order === "arrival";
    if (isEnough) return { isAny: taken > 0 || some.isAny, rerouted };
    await others();
  }
};

const pollSome = async <Row, Event extends Keyed, Given>(
  context: StepContext<Row, Event, Given>,
): Promise<Polled & { readonly count: number }> => {
  const { assignment, subscription, world, lanes } = context;
  const fetched = subscription.take(TAKEN_AT_ONCE, wanted(assignment));
  const raws = fetched.map((some) => {
    const position = assignment.watermark.position(some.from); // records before it are delivered twice
    return some.records.filter(({ offset }) => offset >= position);
  });
  await prepare(raws.flat(), world);
  const rerouted = fetched.flatMap((some, index) => readRecords(context, some, raws[index] ?? []));
  for (const lane of new Set(fetched.map(({ from }) => from.partition % lanes))) {
    const progress = assignment.progress.get(lane);
    if (progress !== undefined) assignment.progress.set(lane, progressRead(progress, fetched, context));
  }
  for (const [topic, count] of countByTopic(raws.flat()))
    assignment.recordsRead.set(topic, (assignment.recordsRead.get(topic) ?? 0) + count);
  return { isAny: fetched.length > 0, rerouted, count: fetched.reduce((sum, { records }) => sum + records.length, 0) };
};

/** Tells whether a partition is read on: not where too much of it waits, unless the watermark waits for it. */
export const wanted =
  <Row, Event>({ reorderBuffer, watermark }: Assignment<Row, Event>) =>
  (partition: TopicPartition): boolean =>
    !reorderBuffer.isFull(partition) || (reorderBuffer.earliest() > watermark.time() && watermark.waitsFor(partition));

/** Reads the records of a partition; returns those that are rerouted. */
const readRecords = <Row, Event extends Keyed, Given>(
  { assignment, processor, world, lanes }: StepContext<Row, Event, Given>,
  { from, next }: FetchedRecords,
  raws: readonly RawRecord[],
): readonly LaneEffect[] => {
  const lane = from.partition % lanes;
  const before = assignment.progress.get(lane)?.readOffsets[nameOfPartition(from)] ?? 0;
  const rerouted: LaneEffect[] = [];
  const now = world.clock.now();
  const loggedBy = latestTimes(raws, now);
  let latest = -1;
  for (const [index, raw] of raws.entries()) {
    if (raw.timestamp <= now + SKEW) latest = Math.max(latest, raw.timestamp);
    const sender = senderOf(from, raw, processor);
    if (sender !== null && !isNew(assignment, lane, sender.queue, sender.number)) continue;
    const decoded = decodeRecord(raw, processor, world, lanes, loggedBy[index] ?? now);
    if (decoded.kind === "events") {
      const { events, origin } = decoded;
      const { queue, number } = sender ?? strayQueue(from, origin);
      if (!isNew(assignment, lane, queue, number)) continue;
      assignment.lastRead.set(queue, number);
      assignment.reorderBuffer.add({ lane, from, raw, origin, queue, number, events });
    } else if (raw.offset >= before) rerouted.push(...reroute(decoded, lane, processor, world.product));
  }
  assignment.watermark.advance(from, next, latest);
  assignment.reorderBuffer.advance(from, next);
  return rerouted;
};

/**
 * The latest time at which the log got each record. A timestamp much later than now is wrong: waited for, it would hold up
 * every record behind it. Such a record came before the next one whose timestamp may be right, or before now.
 */
const latestTimes = (raws: readonly RawRecord[], now: Millis): readonly Millis[] => {
  const times: Millis[] = [];
  let next = now;
  for (const { timestamp } of raws.toReversed()) times.push((next = timestamp > now + SKEW ? next : timestamp));
  return times.toReversed();
};

const isNew = <Row, Event>(
  { lastRead, progress }: Assignment<Row, Event>,
  lane: Lane,
  queue: string,
  number: number,
): boolean => number > (lastRead.get(queue) ?? progress.get(lane)?.lastSequence[queue] ?? -1);

/** The queue of a record and its number there; null for a stray, whose origin alone tells them. */
const senderOf = (
  from: TopicPartition,
  { topic, headers, offset }: RawRecord,
  { strays }: Pick<Processor<unknown, Keyed, unknown>, "strays">,
): { readonly queue: string; readonly number: number } | null => {
  if (topic === strays) return null;
  const own = { queue: nameOfPartition(from), number: offset };
  const stream = headers[STREAM_HEADER];
  if (stream === undefined) return own;
  const decoder = new TextDecoder();
  const sequence = decoder.decode(headers[SEQUENCE_HEADER]);
  const number = Number(sequence);
  if (sequence === "" || !Number.isSafeInteger(number)) return own; // another program's header of that name
  return { queue: `${nameOfPartition(from)}<${decoder.decode(stream)}`, number };
};

const strayQueue = (from: TopicPartition, origin: Origin): { readonly queue: string; readonly number: number } => ({
  queue: `${nameOfPartition(from)}<${nameOfPartition(origin)}`,
  number: origin.offset,
});

/** Effects of a record that never reaches the fold. */
const reroute = (
  decoded: Exclude<Decoded<unknown>, { readonly kind: "events" }>,
  lane: Lane,
  { strays }: Pick<Processor<unknown, Keyed, unknown>, "strays">,
  product: Product,
): readonly LaneEffect[] => {
  if (decoded.kind === "poison") return [publishLetter(lane, decoded.letter, product)];
  if (strays === null) return [];
  return [{ lane, effect: { type: "forward", topic: strays, partition: decoded.lane, stray: decoded.stray } }];
};

/** The lane's progress once the records are read; records without events count as folded. */
const progressRead = <Row, Event extends Keyed, Given>(
  progress: LaneProgress,
  fetched: readonly FetchedRecords[],
  { assignment, lanes, world }: StepContext<Row, Event, Given>,
): LaneProgress => {
  const readOffsets = { ...progress.readOffsets };
  for (const { from } of fetched)
    if (from.partition % lanes === progress.lane) {
      const name = nameOfPartition(from);
      readOffsets[name] = Math.max(readOffsets[name] ?? 0, assignment.watermark.position(from));
    }
  const readWatermark = readWatermarkOf(progress, assignment, world.clock.now());
  return { ...assignment.reorderBuffer.release(-1, progress), readOffsets, readWatermark };
};

/** The time up to which every record of the lane is read. */
export const readWatermarkOf = <Row, Event>(
  progress: LaneProgress,
  { watermark }: Assignment<Row, Event>,
  now: Millis,
): Millis => Math.max(progress.readWatermark, Math.min(watermark.readTime(progress.lane), now));
