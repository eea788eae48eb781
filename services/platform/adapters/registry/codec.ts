import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fatal, messageOf, Poison } from "../../contract/failure.ts";
import type { Codec } from "../../contract/ports.ts";
import { declarationOf, MAX_RECORD, type Product, type Topic, type TopicId } from "../../contract/topic.ts";
import { asBuffer } from "../../runtime/buffers.ts";
import { type AvroType, avroType } from "./avro.ts";
import type { Registry } from "./registry.ts";

/** Confluent's wire format: a zero byte, the writer schema's id (4 bytes, big-endian), the Avro binary. */
const MAGIC = 0;
const PREFIX = 5;
/** Bytes that a value of another product may have: Kafka's default limit for a record. */
const MAX_EXTERNAL_VALUE = 1_048_588;

/** Buffer in which values are written before they are copied. Of a larger value avsc only counts the bytes there. */
const scratch = Buffer.allocUnsafe(64 * 1024);

const maxValueOf = ({ owner }: Topic): number => (owner === "external" ? MAX_EXTERNAL_VALUE : MAX_RECORD);

/** The subject that a topic's value schema is registered under (Confluent's TopicNameStrategy). */
export const subjectOf = ({ name }: Topic, prefix: string): string => `${prefix}${name}-value`;

/** The schema in `schemas/` of a topic's values, as JSON text. */
export const schemaOf = ({ schema }: Topic): string =>
  JSON.stringify(
    JSON.parse(readFileSync(fileURLToPath(new URL(`../../../../schemas/${schema}.avsc`, import.meta.url)), "utf8")),
  );

/** The id under which each topic's schema is registered. Throws Fatal where one is not: services register nothing. */
export const registeredIds = async (
  { topics }: Pick<Product, "topics">,
  registry: Registry,
  prefix: string,
): Promise<ReadonlyMap<TopicId, number>> => {
  const found = await Promise.all(
    Object.entries(topics).map(async ([id, topic]) => {
      const subject = subjectOf(topic, prefix);
      return { id, subject, registered: await registry.idOf(subject, schemaOf(topic)) };
    }),
  );
  const missing = found.flatMap(({ subject, registered }) => (registered === null ? [subject] : []));
  if (missing.length > 0)
    throw new Fatal(`the schema registry does not have our schema of ${missing.join(", ")}: run \`ops topics\` first`);
  return new Map(found.map(({ id, registered }) => [id, registered ?? 0]));
};

type Read = (bytes: Buffer) => unknown;

/** The codec of the real log. @param ids as `registeredIds` gives them */
export const avroCodec = (
  { topics }: Pick<Product, "topics">,
  registry: Registry,
  ids: ReadonlyMap<TopicId, number>,
): Codec => {
  const types = new Map(Object.entries(topics).map(([id, topic]) => [id, avroType(schemaOf(topic))]));
  const readers = new Map<string, Read>();
  // These ids are asked for anew each time: somebody may register them.
  const unregistered = new Set<string>();

  const typeOf = (topic: TopicId): AvroType => {
    const type = types.get(topic);
    if (type === undefined) throw new Error(`no schema for ${topic}`);
    return type;
  };

  for (const [topic, id] of ids) readers.set(readerName(topic, id), (bytes) => typeOf(topic).fromBuffer(bytes));

  /** Makes the reader of a schema. It is made once, and once too where the schema is unusable. */
  const readerFor = async (topic: TopicId, id: number): Promise<Read> => {
    const type = typeOf(topic);
    const writer = await registry.find(id);
    if (writer === null) {
      unregistered.add(readerName(topic, id));
      return refuse(`its schema id ${id} is not in the registry`);
    }
    unregistered.delete(readerName(topic, id));
    try {
      const resolver = type.createResolver(avroType(writer));
      return (bytes) => type.fromBuffer(bytes, resolver);
    } catch (error) {
      return refuse(
        `its schema (id ${id}) can't be read as ${declarationOf({ topics }, topic).schema}.avsc: ${messageOf(error)}`,
      );
    }
  };

  return {
    async prepare(records) {
      const unknown = new Map<string, readonly [TopicId, number]>();
      for (const { topic, value } of records) {
        if (value === null || value.length < PREFIX || value[0] !== MAGIC) continue;
        const id = schemaId(value);
        const name = readerName(topic, id);
        if (!readers.has(name) || unregistered.has(name)) unknown.set(name, [topic, id]);
      }
      for (const [name, [topic, id]] of unknown) readers.set(name, await readerFor(topic, id));
    },
    decode(topic, value) {
      const maxValue = maxValueOf(declarationOf({ topics }, topic));
      if (value.length > maxValue) throw new Poison(`its value has ${value.length} bytes; ${maxValue} are taken`);
      if (value.length < PREFIX || value[0] !== MAGIC)
        throw new Poison(
          "its value is not in Confluent's wire format (a zero byte and a schema id before the Avro data)",
        );
      const id = schemaId(value);
      const read = readers.get(readerName(topic, id));
      if (read === undefined) throw new Error(`decode before prepare: schema ${id} of ${topic}`);
      try {
        return read(asBuffer(value.subarray(PREFIX)));
      } catch (error) {
        if (error instanceof Poison) throw error;
        throw new Poison(`its value is not Avro by its schema (id ${id}): ${messageOf(error)}`);
      }
    },
    encode(topic, value) {
      const type = typeOf(topic);
      const end = type.encode(value, scratch, PREFIX);
      const bytes = end < 0 ? Buffer.allocUnsafe(scratch.length - end) : Buffer.from(scratch.subarray(0, end));
      if (end < 0) type.encode(value, bytes, PREFIX);
      bytes[0] = MAGIC;
      bytes.writeUInt32BE(ids.get(topic) ?? 0, 1);
      return bytes;
    },
  };
};

const readerName = (topic: TopicId, id: number): string => `${topic} ${id}`;

const schemaId = (value: Uint8Array): number => asBuffer(value).readUInt32BE(1);

const refuse =
  (reason: string): Read =>
  () => {
    throw new Poison(reason);
  };
