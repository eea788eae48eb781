import { describe, expect, test } from "vitest";
import type { Product } from "../../contract/topic.ts";
import { memoryRegistry } from "../../memory/registry.ts";
import { avroType } from "./avro.ts";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "./codec.ts";

const parcels = {
  name: "shop.parcels",
  key: "none",
  schema: "stray",
  cleanup: "compact",
  owner: "own",
  about: "parcels",
} as const;
const orders = { ...parcels, name: "shop.orders", owner: "external" } as const;
const product: Pick<Product, "topics"> = { topics: { parcels, orders } };

const sample = { topic: "shop.orders", partition: 1, offset: 5, timestamp: 7, key: "a", value: Buffer.of(1, 2) };

/** A codec over a registry that has the schemas of the product, and the ids that it asks the registry for. */
const open = async () => {
  const known = memoryRegistry();
  const asked: number[] = [];
  /** Answers instead of the registry while it is set. */
  const stub: { find: ((id: number) => Promise<string | null>) | null } = { find: null };
  const registry = { ...known, find: (id: number) => (asked.push(id), (stub.find ?? known.find)(id)) };
  for (const topic of Object.values(product.topics)) await registry.register(subjectOf(topic, ""), schemaOf(topic));
  const codec = avroCodec(product, registry, await registeredIds(product, registry, ""));
  return {
    codec,
    asked,
    stub,
    /** Registers a schema, and writes a value by it. */
    async written(schema: object, value: unknown): Promise<Uint8Array> {
      const text = JSON.stringify(schema);
      const { id } = await registry.register("another product's", text);
      return wire(id, avroType(text).toBuffer(value));
    },
    async read(value: Uint8Array, topic = "parcels"): Promise<unknown> {
      await codec.prepare([{ topic, value }]);
      return codec.decode(topic, value);
    },
  };
};
const wire = (id: number, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};
const poison = (reason: string) => ({ name: "Poison", message: expect.stringContaining(reason) as string });

interface RecordSchema {
  readonly fields: readonly { readonly name: string }[];
}
const schema = JSON.parse(schemaOf(parcels)) as RecordSchema;
const without = (name: string) => ({ ...schema, fields: schema.fields.filter((field) => field.name !== name) });

describe("an encoded value", () => {
  test("is a zero byte, the id of the schema and Avro", async () => {
    const { codec } = await open();
    expect(Buffer.from(codec.encode("parcels", sample))).toEqual(wire(1, avroType(schemaOf(parcels)).toBuffer(sample)));
  });

  test("is decoded to an equal value, which does not share its bytes with the next one", async () => {
    const { codec, read } = await open();
    const first = codec.encode("parcels", sample);
    codec.encode("parcels", { ...sample, key: "b" });
    expect(await read(first)).toEqual(sample);
  });

  test("may be larger than the buffer in which values are written first", async () => {
    const { codec, read } = await open();
    const large = { ...sample, value: Buffer.alloc(100_000, 7) };
    expect(await read(codec.encode("parcels", large))).toEqual(large);
  });

  test("asks the registry for nothing, since the program knows its own schema", async () => {
    const { codec, read, asked } = await open();
    await read(codec.encode("parcels", sample));
    expect(asked).toEqual([]);
  });
});

test("a value that the schema does not allow is a bug of the caller", async () => {
  const { codec } = await open();
  expect(() => codec.encode("parcels", { ...sample, offset: "five" })).toThrow('invalid "long": "five"');
});

describe("a value of another schema", () => {
  test("has the default of a field that its schema lacks", async () => {
    const { read, written } = await open();
    expect(await read(await written(without("value"), sample))).toEqual({ ...sample, value: null });
  });

  test("loses a field that the program does not know", async () => {
    const { read, written } = await open();
    const later = { ...schema, fields: [...schema.fields, { name: "weight", type: "int", default: 0 }] };
    expect(await read(await written(later, { ...sample, weight: 9 }))).toEqual(sample);
  });

  test("is poison where its schema lacks a field that has no default", async () => {
    const { read, written } = await open();
    const value = await written(without("key"), sample);
    await expect(read(value)).rejects.toMatchObject(poison("can't be read as stray.avsc"));
  });

  test("asks the registry once for its schema, however many records have it", async () => {
    const { read, written, asked } = await open();
    const value = await written(without("value"), sample);
    await read(value);
    await read(value);
    expect(asked).toEqual([2]);
  });

  test("is poison while nobody has registered its schema, and is read once somebody has", async () => {
    const { read, written, asked } = await open();
    const older = without("value");
    const value = wire(2, avroType(JSON.stringify(older)).toBuffer(sample));
    await expect(read(value)).rejects.toMatchObject(poison("id 2 is not in the registry"));
    await written(older, sample);
    expect(await read(value)).toEqual({ ...sample, value: null });
    expect(asked).toEqual([2, 2]);
  });

  test("is poison where its schema is not Avro", async () => {
    const { read, stub } = await open();
    stub.find = () => Promise.resolve('syntax = "proto3"; message A { string a = 1; }');
    await expect(read(wire(77, Buffer.of(1)))).rejects.toMatchObject(poison("can't be read"));
  });

  test("fails while the registry is away, and is read once it is back", async () => {
    const { read, written, stub } = await open();
    const value = await written(without("value"), sample);
    stub.find = () => Promise.reject(new Error("away"));
    await expect(read(value)).rejects.toThrow("away");
    stub.find = null;
    expect(await read(value)).toEqual({ ...sample, value: null });
  });
});

describe("bytes that are no value", () => {
  test.each([
    ["too few", Buffer.of(0, 0, 0, 1)],
    ["without the zero byte", Buffer.of(1, 0, 0, 0, 1, 2, 3)],
  ])("are poison: %s", async (_name, bytes) => {
    const { read } = await open();
    await expect(read(bytes)).rejects.toMatchObject(poison("wire format"));
  });

  test("are poison where they are cut short, or followed by another byte", async () => {
    const { codec, read } = await open();
    const whole = Buffer.from(codec.encode("parcels", sample));
    await expect(read(whole.subarray(0, -1))).rejects.toMatchObject(poison("is not Avro by its schema (id 1)"));
    await expect(read(Buffer.concat([whole, Buffer.of(0)]))).rejects.toMatchObject(poison("trailing"));
  });

  test("are refused where an array claims more items than bytes are left", () => {
    const type = avroType('{"type":"array","items":"null"}');
    const count = avroType('"long"').toBuffer(2 ** 40);
    expect(() => type.fromBuffer(count) as unknown).toThrow("a block claims 1099511627776 items, but 0 bytes are left");
  });

  test("are poison where they are more than the topic takes: 2 MiB of ours, Kafka's default of another product", async () => {
    const { read } = await open();
    await expect(read(Buffer.alloc(2 * 1024 * 1024 + 1))).rejects.toMatchObject(poison("2097152 are taken"));
    await expect(read(Buffer.alloc(1_048_589), "orders")).rejects.toMatchObject(poison("1048588 are taken"));
  });
});

test("a service whose schemas are not registered stops, and says to run `ops topics`", async () => {
  const fatal = { name: "Fatal", message: expect.stringContaining("shop.parcels-value") as string };
  await expect(registeredIds(product, memoryRegistry(), "")).rejects.toMatchObject(fatal);
  await expect(registeredIds(product, memoryRegistry(), "")).rejects.toThrow("run `ops topics`");
});

test("a subject is the topic's name behind the installation's prefix", () => {
  expect(subjectOf(parcels, "test.")).toBe("test.shop.parcels-value");
});
