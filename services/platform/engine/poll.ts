import { setImmediate as others } from "node:timers/promises";
import { type Lane } from "../contract/lane.ts";
import type { LaneProgress, TopicPartition, RawRecord, FetchedRecords } from "../contract/ports.ts";
import type { Keyed, Processor } from "../contract/processor.ts";
import type { Millis } from "../contract/time.ts";
import type { LaneEffect } from "./fold/fold.ts";
import { SKEW } from "../adapters/postgres/clock.ts";
import { nameOfPartition } from "./time/watermark.ts";
import { scaledToHeap } from "../runtime/memory-limits.ts";
import { type Origin, prepare, take } from "./intake/decode.ts";
import { countByTopic } from "./output/outbox.ts";
import { SEQUENCE_HEADER, STREAM_HEADER } from "./output/relay.ts";
import type { Tenure } from "./assignment.ts";
import type { Turn } from "./step.ts";

/** Records taken before others in this process have their turn. */
const TAKEN_AT_ONCE = scaledToHeap(10_000);
/** Records taken in a turn, about: reading is ahead of folding, so that the stream's time is asked for but now and then. */
const MAX_TAKEN = scaledToHeap(50_000);

/** What came of records as soon as they were read. */
export interface Examination {
  /** Whether anything had arrived. */
  readonly isAny: boolean;
  /** Strays on their way to their lanes, and dead letters. */
  readonly asides: readonly LaneEffect[];
}

/**
 * Takes what has arrived: what is for this lane waits until the stream's time has come to it, the rest is sent on at
 * once, and once. `tenure.holds` says how far that goes, and is to be saved with the asides.
 */
export const examine = async <Row, Event extends Keyed, Given>(it: Turn<Row, Event, Given>): Promise<Examination> => {
  const asides: LaneEffect[] = [];
  let taken = 0;
  for (;;) {
    const some = await examineSome(it);
    for (const aside of some.asides) asides.push(aside);
    taken += some.count;
    // Who folds records as they come folds all that are taken in one transaction.
    const isEnough = some.count < TAKEN_AT_ONCE || taken >= MAX_TAKEN || it.processor.upstream.length === 0;
    if (isEnough) return { isAny: taken > 0 || some.isAny, asides };
    await others();
  }
};

const examineSome = async <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
): Promise<Examination & { readonly count: number }> => {
  const { tenure, subscription, world, lanes } = it;
  const slices = subscription.take(TAKEN_AT_ONCE, wanted(tenure));
  const raws = slices.map((slice) => {
    const from = tenure.frontier.position(slice.place); // delivered twice
    return slice.records.filter(({ offset }) => offset >= from);
  });
  await prepare(raws.flat(), world.codec);
  const asides = slices.flatMap((slice, index) => examineSlice(it, slice, raws[index] ?? []));
  for (const lane of new Set(slices.map(({ place }) => place.partition % lanes))) {
    const hold = tenure.holds.get(lane);
    if (hold !== undefined) tenure.holds.set(lane, examinedHold(hold, slices, it));
  }
  for (const [topic, count] of countByTopic(raws.flat()))
    tenure.taken.set(topic, (tenure.taken.get(topic) ?? 0) + count);
  return { isAny: slices.length > 0, asides, count: slices.reduce((sum, { records }) => sum + records.length, 0) };
};

/** A place of which too much waits is not read on, unless nothing at all goes on without it. */
export const wanted =
  <Row, Event>({ held, frontier }: Tenure<Row, Event>) =>
  (place: TopicPartition): boolean =>
    !held.isFull(place) || (held.first() > frontier.time() && frontier.waitsFor(place));

const examineSlice = <Row, Event extends Keyed, Given>(
  it: Turn<Row, Event, Given>,
  { place, next }: FetchedRecords,
  raws: readonly RawRecord[],
): readonly LaneEffect[] => {
  const { tenure, processor, world, lanes } = it;
  const lane = place.partition % lanes;
  const before = tenure.holds.get(lane)?.readOffsets[nameOfPartition(place)] ?? 0;
  const asides: LaneEffect[] = [];
  const now = world.clock.now();
  const had = hadBy(raws, now);
  let latest = -1;
  for (const [index, raw] of raws.entries()) {
    if (raw.timestamp <= now + SKEW) latest = Math.max(latest, raw.timestamp);
    const sender = senderOf(place, raw, processor);
    if (sender !== null && !isNew(tenure, lane, sender.queue, sender.number)) continue;
    const taken = take(raw, processor, world.codec, lanes, had[index] ?? now);
    if (taken.kind === "events") {
      const { queue, number } = sender ?? strayQueue(place, taken.origin);
      if (!isNew(tenure, lane, queue, number)) continue;
      tenure.arrived.set(queue, number);
      tenure.held.add({ lane, place, raw, origin: taken.origin, queue, number, events: taken.events });
    } else if (raw.offset >= before) asides.push(...aside(taken, lane, processor));
  }
  tenure.frontier.reach(place, next, latest);
  tenure.held.pass(place, next);
  return asides;
};

/**
 * When the log had each record at the latest. A timestamp much later than now is wrong: waited for, it would keep all that
 * is behind it on the partition. That record came before the next one whose timestamp may be right, or before now.
 */
const hadBy = (raws: readonly RawRecord[], now: Millis): readonly Millis[] => {
  const times: Millis[] = [];
  let next = now;
  for (const { timestamp } of raws.toReversed()) times.push((next = timestamp > now + SKEW ? next : timestamp));
  return times.toReversed();
};

const isNew = <Row, Event>(
  { arrived, holds }: Tenure<Row, Event>,
  lane: Lane,
  queue: string,
  number: number,
): boolean => number > (arrived.get(queue) ?? holds.get(lane)?.lastSequence[queue] ?? -1);

/** The queue of a record and its number there; null where only what is inside it tells. */
const senderOf = (
  place: TopicPartition,
  { topic, headers, offset }: RawRecord,
  { strays }: Pick<Processor<unknown, Keyed, unknown>, "strays">,
): { readonly queue: string; readonly number: number } | null => {
  if (topic === strays) return null;
  const own = { queue: nameOfPartition(place), number: offset };
  const stream = headers[STREAM_HEADER];
  if (stream === undefined) return own;
  const decoder = new TextDecoder();
  const sequence = decoder.decode(headers[SEQUENCE_HEADER]);
  const number = Number(sequence);
  if (sequence === "" || !Number.isSafeInteger(number)) return own; // not ours, whatever it calls itself
  return { queue: `${nameOfPartition(place)}<${decoder.decode(stream)}`, number };
};

const strayQueue = (place: TopicPartition, origin: Origin): { readonly queue: string; readonly number: number } => ({
  queue: `${nameOfPartition(place)}<${nameOfPartition(origin)}`,
  number: origin.offset,
});

/** What a record leads to that never reaches the fold. */
const aside = (
  taken: Exclude<ReturnType<typeof take>, { readonly kind: "events" }>,
  lane: Lane,
  { strays }: Pick<Processor<unknown, Keyed, unknown>, "strays">,
): readonly LaneEffect[] => {
  if (taken.kind === "poison")
    return [{ lane, effect: { type: "publish", topic: "deadLetters", key: "", value: taken.letter } }];
  if (strays === null) return [];
  return [{ lane, effect: { type: "forward", topic: strays, partition: taken.lane, stray: taken.stray } }];
};

/** The hold once the slices are examined; what waited for nothing counts as folded. */
const examinedHold = <Row, Event extends Keyed, Given>(
  hold: LaneProgress,
  slices: readonly FetchedRecords[],
  { tenure, lanes, world }: Turn<Row, Event, Given>,
): LaneProgress => {
  const examined = { ...hold.readOffsets };
  for (const { place } of slices)
    if (place.partition % lanes === hold.lane)
      examined[nameOfPartition(place)] = Math.max(
        examined[nameOfPartition(place)] ?? 0,
        tenure.frontier.position(place),
      );
  return {
    ...tenure.held.take(-1, hold),
    readOffsets: examined,
    readWatermark: examinedTime(hold, tenure, world.clock.now()),
  };
};

export const examinedTime = <Row, Event>(hold: LaneProgress, { frontier }: Tenure<Row, Event>, now: number): number =>
  Math.max(hold.readWatermark, Math.min(frontier.examinedTime(hold.lane), now));
