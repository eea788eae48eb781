import { isPoisonous, Poison } from "../../contract/failure.ts";
import { checkId } from "../../contract/identity.ts";
import { type Lane, laneOf } from "../../contract/lane.ts";
import type { LogRecord } from "../../contract/log-record.ts";
import type { Codec, RawRecord } from "../../contract/ports.ts";
import type { Keyed, Processor } from "../../contract/processor.ts";
import type { DeadLetter, Stray } from "../../contract/records.ts";
import type { Millis } from "../../contract/time.ts";
import { declarationOf, type Product, type TopicId } from "../../contract/topic.ts";
import { asBuffer } from "../../runtime/buffers.ts";
import { announce } from "../../runtime/facts.ts";
import { deadLetter, MAX_CARRIED } from "./dead-letter.ts";

/** File in `schemas/` of the values of topics of strays. */
const STRAY_SCHEMA = "stray";

/** A record as decoded for a processor: its events, a stray on its way to another lane, or a dead letter. */
export type Decoded<Event> =
  | {
      readonly kind: "events";
      readonly events: readonly Event[];
      readonly raw: RawRecord;
      /** The partition and offset where it was put on the log first; for a stray, where it was found. */
      readonly origin: Origin;
    }
  | { readonly kind: "stray"; readonly lane: Lane; readonly stray: Stray }
  | { readonly kind: "poison"; readonly letter: DeadLetter };

export type Origin = Pick<RawRecord, "topic" | "partition" | "offset">;

/** Tools of decoding. */
export interface Decoding {
  readonly codec: Codec;
  readonly product: Product;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const keyOf = (raw: RawRecord, product: Product): string => {
  const { name, key: concept } = declarationOf(product, raw.topic);
  if (concept === "none") return "";
  const what = `the key of ${name}`;
  if (raw.key === null) throw new Poison(`${what} is null; it is the ${concept} in UTF-8`);
  try {
    return checkId(utf8.decode(raw.key), what);
  } catch (error) {
    if (error instanceof Poison) throw error;
    throw new Poison(`${what} is not UTF-8`);
  }
};

const topicNamed = ({ topics }: Product, name: string): TopicId | undefined =>
  Object.keys(topics).find((id) => topics[id]?.name === name);

/** The record inside a stray, at its origin, with the key whose lane it has reached now. */
const unpack = (raw: RawRecord, { codec, product }: Decoding): RawRecord => {
  if (raw.value === null) throw new Poison("a stray without a value");
  const stray = codec.decode(raw.topic, raw.value) as Stray;
  const topic = topicNamed(product, stray.topic);
  if (topic === undefined) throw new Poison(`a stray of the unknown topic ${stray.topic}`);
  const { partition, offset, timestamp, value } = stray;
  return { topic, partition, offset, timestamp, value, key: new TextEncoder().encode(stray.key), headers: {} };
};

/** Decodes a record of a global table, whatever partition it is on. Throws Poison. */
export const decodeGlobal = (raw: RawRecord, decoding: Decoding): LogRecord =>
  decode(raw, keyOf(raw, decoding.product), decoding, Infinity);

/** @param by latest time at which the log got the record: no time in it counts as later */
const decode = (raw: RawRecord, key: string, { codec }: Decoding, by: Millis): LogRecord => {
  // The schema that is registered for the topic makes every value a record.
  const value = raw.value === null ? null : (codec.decode(raw.topic, raw.value) as { readonly occurredAt?: Millis });
  const own = value?.occurredAt ?? raw.timestamp;
  const loggedAt = Math.min(raw.timestamp, by);
  const ahead = Math.max(own, raw.timestamp) - loggedAt;
  if (ahead > 0) {
    const { topic, partition, offset } = raw;
    announce("clamped", { topic, partition, offset, by: ahead });
  }
  return { topic: raw.topic, key, value, at: Math.min(own, loggedAt), loggedAt };
};

/** Fetches the schemas of records, those inside strays too. Throws Transient. */
export const prepare = async (raws: readonly RawRecord[], decoding: Decoding): Promise<void> => {
  const { codec, product } = decoding;
  await codec.prepare(raws);
  const strays = raws.filter((raw) => declarationOf(product, raw.topic).schema === STRAY_SCHEMA);
  const inner = strays.flatMap((raw) => innerOf(raw, decoding));
  if (inner.length > 0) await codec.prepare(inner);
};

const innerOf = (raw: RawRecord, decoding: Decoding): readonly RawRecord[] => {
  try {
    return [unpack(raw, decoding)];
  } catch (error) {
    if (isPoisonous(error)) return []; // `decodeRecord` meets it again and reports it
    throw error;
  }
};

/**
 * Decodes one record for a processor with `lanes` lanes. Never throws Poison.
 * @param by latest time at which the log got the record, whatever its timestamp says
 */
export const decodeRecord = <Row, Event extends Keyed, Given>(
  raw: RawRecord,
  processor: Processor<Row, Event, Given>,
  decoding: Decoding,
  lanes: number,
  by: Millis,
): Decoded<Event> => {
  try {
    const isStray = raw.topic === processor.strays;
    const inner = isStray ? unpack(raw, decoding) : raw;
    const key = keyOf(inner, decoding.product);
    const home = laneOf(key, lanes);
    if (processor.strays !== null && key !== "" && !isStray && home !== raw.partition % lanes)
      return { kind: "stray", lane: home, stray: strayOf(raw, key, decoding.product) };
    const { topic, partition, offset } = inner;
    const events = processor.read(decode(inner, key, decoding, isStray ? Math.min(by, raw.timestamp) : by));
    return { kind: "events", events, raw, origin: { topic, partition, offset } };
  } catch (error) {
    if (!isPoisonous(error)) throw error;
    return { kind: "poison", letter: deadLetter(raw, processor.name, error, decoding.product) };
  }
};

const strayOf = (raw: RawRecord, key: string, product: Product): Stray => {
  if ((raw.value?.length ?? 0) > MAX_CARRIED)
    throw new Poison(`it is not on its key's partition, and too large to be taken there (${raw.value?.length} bytes)`);
  const { partition, offset, timestamp, value } = raw;
  return { topic: declarationOf(product, raw.topic).name, partition, offset, timestamp, key, value: asBuffer(value) };
};
