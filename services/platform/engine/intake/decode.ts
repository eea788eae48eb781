import { checkId, derivedId } from "../../../domain/ids.ts";
import { isPoisonous, messageOf, Poison } from "../../contract/failure.ts";
import type { LogRecord } from "../../../domain/log-record.ts";
import { type Lane, laneOf } from "../../contract/lane.ts";
import type { Codec, RawRecord } from "../../contract/ports.ts";
import type { Keyed, Processor } from "../../contract/processor.ts";
import type { DeadLetter, Stray } from "../../../domain/records.ts";
import type { Millis } from "../../contract/time.ts";
import { precedence, type TopicId, topicIds, topics } from "../../../domain/topics.ts";
import type { Stuck } from "../fold/fold.ts";
import { announce } from "../../runtime/facts.ts";

/** Bytes of a record that our own topics carry, inside another record: those take 2 MiB (topics.ts). */
const MAX_CARRIED = 1_572_864;
const MAX_REASON = 2_000;

/** What one record of the log comes to. */
export type Taken<Event> =
  | {
      readonly kind: "events";
      readonly events: readonly Event[];
      readonly raw: RawRecord;
      /** Where it was put on the log first: for a stray, the place that it was found on. */
      readonly origin: Origin;
    }
  | { readonly kind: "stray"; readonly lane: Lane; readonly stray: Stray }
  | { readonly kind: "poison"; readonly letter: DeadLetter };

export type Origin = Pick<RawRecord, "topic" | "partition" | "offset">;

const utf8 = new TextDecoder("utf-8", { fatal: true });
const ids = new Map(topicIds.map((id) => [topics[id].name, id]));

/** Where topics stand among records of equal time; what isn't listed comes last. */
export const rank = (topic: TopicId): number => {
  const found = precedence.indexOf(topic);
  return found === -1 ? precedence.length : found;
};

const keyOf = (raw: RawRecord): string => {
  const what = `the key of ${topics[raw.topic].name}`;
  if (raw.key === null) throw new Poison(`${what} is null; it is the ${topics[raw.topic].key} in UTF-8`);
  try {
    return checkId(utf8.decode(raw.key), what);
  } catch (error) {
    if (error instanceof Poison) throw error;
    throw new Poison(`${what} is not UTF-8`);
  }
};

/** The record inside a stray, in its old place but for its key, which is in its lane now. */
const unpack = (raw: RawRecord, codec: Codec): RawRecord => {
  if (raw.value === null) throw new Poison("a stray without a value");
  const stray = codec.decode(raw.topic, raw.value) as Stray;
  const topic = ids.get(stray.topic);
  if (topic === undefined) throw new Poison(`a stray of the unknown topic ${stray.topic}`);
  const { partition, offset, timestamp, value } = stray;
  return { topic, partition, offset, timestamp, value, key: new TextEncoder().encode(stray.key), headers: {} };
};

/** The record of a lore topic, whatever partition it is on. Throws Poison. */
export const readLore = (raw: RawRecord, codec: Codec): LogRecord =>
  decode(raw, topics[raw.topic].key === "none" ? "" : keyOf(raw), codec, Infinity);

/** @param by when the log had the record at the latest: no time in it counts as later */
const decode = (raw: RawRecord, key: string, codec: Codec, by: Millis): LogRecord => {
  const value = raw.value === null ? null : codec.decode(raw.topic, raw.value);
  const own = (value as { readonly occurredAt?: Millis } | null)?.occurredAt ?? raw.timestamp;
  const timestamp = Math.min(raw.timestamp, by);
  const ahead = Math.max(own, raw.timestamp) - timestamp;
  if (ahead > 0) {
    const { topic, partition, offset } = raw;
    announce("clamped", { topic, partition, offset, by: ahead });
  }
  // The topic says which type the codec gave: its schema is the one registered for that topic.
  return { topic: raw.topic, key, value, at: Math.min(own, timestamp), loggedAt: timestamp } as LogRecord;
};

/** The inner record of a stray is fetched for like any other before it is decoded. */
export const prepare = async (raws: readonly RawRecord[], codec: Codec): Promise<void> => {
  await codec.prepare(raws);
  const inner = raws.filter((raw) => topics[raw.topic].schema === "stray").flatMap((raw) => innerOf(raw, codec));
  if (inner.length > 0) await codec.prepare(inner);
};

const innerOf = (raw: RawRecord, codec: Codec): readonly RawRecord[] => {
  try {
    return [unpack(raw, codec)];
  } catch (error) {
    if (isPoisonous(error)) return []; // `take` meets it again and says so
    throw error;
  }
};

/**
 * Reads one record for a processor with `lanes` lanes: its events, or where else it belongs. Never throws Poison.
 * @param by when the log had it at the latest, whatever its timestamp says
 */
export const take = <Row, Event extends Keyed, Given>(
  raw: RawRecord,
  processor: Processor<Row, Event, Given>,
  codec: Codec,
  lanes: number,
  by: Millis,
): Taken<Event> => {
  try {
    const isStray = raw.topic === processor.strays;
    const inner = isStray ? unpack(raw, codec) : raw;
    const key = topics[inner.topic].key === "none" ? "" : keyOf(inner);
    const home = laneOf(key, lanes);
    if (processor.strays !== null && key !== "" && !isStray && home !== raw.partition % lanes)
      return { kind: "stray", lane: home, stray: strayOf(raw, key) };
    const { topic, partition, offset } = inner;
    const events = processor.read(decode(inner, key, codec, isStray ? Math.min(by, raw.timestamp) : by));
    return { kind: "events", events, raw, origin: { topic, partition, offset } };
  } catch (error) {
    if (!isPoisonous(error)) throw error;
    return { kind: "poison", letter: deadLetter(raw, processor.name, error) };
  }
};

const strayOf = (raw: RawRecord, key: string): Stray => {
  if ((raw.value?.length ?? 0) > MAX_CARRIED)
    throw new Poison(`it is not on its key's partition, and too large to be taken there (${raw.value?.length} bytes)`);
  const { partition, offset, timestamp, value } = raw;
  return { topic: topics[raw.topic].name, partition, offset, timestamp, key, value: asBuffer(value) };
};

const sizeOf = ({ key, value, headers }: RawRecord): number =>
  Object.values(headers).reduce((sum, bytes) => sum + bytes.length, (key?.length ?? 0) + (value?.length ?? 0));

/** Avro's bytes are Buffers. */
const asBuffer = (bytes: Uint8Array | null): Buffer | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The record byte for byte, unless it is too large for our own topics; its place and the reason. */
export const deadLetter = (raw: RawRecord, processor: string, error: unknown): DeadLetter => {
  const { partition, offset, timestamp } = raw;
  const size = sizeOf(raw);
  const isLarge = size > MAX_CARRIED;
  const kept = isLarge ? MAX_CARRIED / 4 : MAX_CARRIED;
  const key = asBuffer(raw.key)?.subarray(0, kept) ?? null;
  const value = asBuffer(raw.value)?.subarray(0, kept) ?? null;
  const headers = isLarge
    ? {}
    : Object.fromEntries(Object.entries(raw.headers).map(([name, bytes]) => [name, Buffer.from(bytes)]));
  const topic = topics[raw.topic].name;
  const what = messageOf(error).slice(0, MAX_REASON);
  const reason = isLarge ? `${what} (of its ${size} bytes only the beginning is kept here)` : what;
  announce("deadLetter", { processor, topic: raw.topic, partition, offset, reason });
  return {
    id: derivedId("dead-letter", processor, topic, partition, offset),
    processor,
    topic,
    partition,
    offset,
    timestamp,
    key,
    value,
    headers,
    reason,
    isWhole: !isLarge,
    settled: null,
    occurredAt: timestamp,
  };
};

/** What can be said of a timer, or of an effect, that the rule can't take: whose row it was, and when. */
export const stuckLetter = ({ lane, key, at, error }: Stuck, processor: string): DeadLetter => {
  const topic = `${processor}.timers`;
  const reason = messageOf(error).slice(0, MAX_REASON);
  announce("stuck", { processor, lane, key, at, reason });
  return {
    id: derivedId("dead-letter", processor, topic, key, at),
    processor,
    topic,
    partition: lane,
    offset: 0,
    timestamp: at,
    key: Buffer.from(key),
    value: null,
    headers: {},
    reason,
    isWhole: true,
    settled: null,
    occurredAt: at,
  };
};
