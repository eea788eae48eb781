import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Codec } from "../../services/platform/contract/ports.ts";
import { type TopicId, product, topics } from "../../services/domain/topics.ts";
import { topicIds } from "../../services/domain/topics.ts";
import { memoryRegistry } from "../../services/platform/memory/registry.ts";
import { avroType } from "../../services/platform/adapters/registry/avro.ts";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "../../services/platform/adapters/registry/codec.ts";
import type { Registry } from "../../services/platform/adapters/registry/registry.ts";
import { message, user } from "../support/chat.ts";
import { settingsSaid } from "../support/settings.ts";

/** The contract of a codec (services/platform/contract/ports.ts), in Confluent's wire format over Avro. */

let registry: Registry;
let codec: Codec;
/** Ids that the codec asked the registry for. */
let asked: number[];
beforeEach(async () => {
  const known = memoryRegistry();
  asked = [];
  registry = { ...known, find: (id) => (asked.push(id), known.find(id)) };
  for (const topic of topicIds) await registry.register(subjectOf(topics[topic], ""), schemaOf(topics[topic]));
  codec = avroCodec(product, registry, await registeredIds(product, registry, ""));
});

const sample = message("c", "bob", "m1", "12:00", {
  mentions: ["ada", "👾"],
  attachments: [{ name: "a", url: "https://x/a", mimeType: "text/plain", size: 3 }],
  custom: { a: "1", __proto__x: "2" },
}).value;

/** A value in the wire format under another schema. */
const written = async (topic: TopicId, schema: object, value: unknown): Promise<Uint8Array> => {
  const { id } = await registry.register(`other.${topic}`, JSON.stringify(schema));
  return wire(id, avroType(JSON.stringify(schema)).toBuffer(value));
};
const wire = (id: number, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};
const read = async (topic: TopicId, value: Uint8Array): Promise<unknown> => {
  await codec.prepare([{ topic, value }]);
  return codec.decode(topic, value);
};
const poison = (reason: string) => ({ name: "Poison", message: expect.stringContaining(reason) as string });

interface RecordSchema {
  readonly fields: readonly { readonly name: string }[];
}
const schema = JSON.parse(schemaOf(topics.messages)) as RecordSchema;
const without = (name: string): object => ({ ...schema, fields: schema.fields.filter((field) => field.name !== name) });

describe("a value", () => {
  test("comes back with its fields and no other enumerable properties", async () => {
    const revision = settingsSaid({ quietHours: { from: "22:00", to: "07:00", timezone: null } }).value;
    const back = (await read("settings", codec.encode("settings", revision))) as typeof revision;
    const names: string[] = [];
    for (const name in back) names.push(name);
    for (const name in (back as { quietHours?: object }).quietHours) names.push(name);
    expect(names).toEqual([...Object.keys(revision ?? {}), "from", "to", "timezone"]);
  });

  test("comes back unchanged", async () => {
    expect(await read("messages", codec.encode("messages", sample))).toEqual(sample);
    const ada = user("ada", "12:00", { emails: null, custom: JSON.parse('{"__proto__": "x"}') as never }).value;
    const back = (await read("users", codec.encode("users", ada))) as typeof ada;
    expect(back).toEqual(ada);
    expect(Object.keys(back?.custom ?? {})).toEqual(["__proto__"]);
  });

  test("is a zero byte, the schema's id and Avro", async () => {
    const bytes = Buffer.from(codec.encode("messages", sample));
    expect(bytes[0]).toBe(0);
    expect(bytes.readUInt32BE(1)).toBe(await registry.idOf(subjectOf(topics.messages, ""), schemaOf(topics.messages)));
    expect(avroType(schemaOf(topics.messages)).fromBuffer(bytes.subarray(5))).toEqual(sample);
  });

  test("that doesn't match its schema is a fault of ours", () => {
    expect(() => codec.encode("messages", { ...sample, occurredAt: "noon" })).toThrow();
  });
});

describe("a value written by another schema", () => {
  test("that is older gets the default of a field that it lacks", async () => {
    const { custom: _, ...old } = sample ?? {};
    expect(await read("messages", await written("messages", without("custom"), old))).toEqual({
      ...sample,
      custom: {},
    });
  });

  test("that is newer has only the fields we know, whatever the order in which it was written", async () => {
    const extra = { name: "reactions", type: { type: "array", items: "string" }, default: [] };
    const later = { ...schema, fields: [extra, ...schema.fields.toReversed()] };
    const value = await written("messages", later, { ...sample, reactions: ["👍", "👎"] });
    expect(await read("messages", value)).toEqual(sample);
  });

  test("without a required field is poison, and its schema is resolved once for all records", async () => {
    const { conversationId: _, ...old } = sample ?? {};
    const value = await written("messages", without("conversationId"), old);
    for (let time = 0; time < 3; time++)
      await expect(read("messages", value)).rejects.toMatchObject(poison("can't be read"));
    expect(asked).toHaveLength(1);
  });

  test("whose schema isn't Avro is poison", async () => {
    registry.find = () => Promise.resolve('syntax = "proto3"; message A { string a = 1; }');
    await expect(read("messages", wire(77, Buffer.of(1)))).rejects.toMatchObject(poison("can't be read"));
  });

  test("is fetched once, however many records have it", async () => {
    const { custom: _, ...old } = sample ?? {};
    const value = await written("messages", without("custom"), old);
    await codec.prepare([value, value, null].map((each) => ({ topic: "messages" as const, value: each })));
    await read("messages", value);
    await read("messages", codec.encode("messages", sample));
    expect(asked).toHaveLength(1);
  });

  test("of an unregistered id is poison until the id is registered", async () => {
    const { custom: _, ...old } = sample ?? {};
    const older = without("custom");
    const body = avroType(JSON.stringify(older)).toBuffer(old);
    const next = new Set(topicIds.map((topic) => schemaOf(topics[topic]))).size + 1;
    for (let id = 0; id < 2; id++)
      await expect(read("messages", wire(next, body))).rejects.toMatchObject(
        poison(`id ${next} is not in the registry`),
      );
    expect(await written("messages", older, old)).toEqual(wire(next, body));
    expect(await read("messages", wire(next, body))).toMatchObject({ messageId: "m1" });
  });

  test("can't be fetched while the registry is away, and can be when it is back", async () => {
    const { custom: _, ...old } = sample ?? {};
    const value = await written("messages", without("custom"), old);
    const { find } = registry;
    registry.find = () => Promise.reject(new Error("away"));
    await expect(read("messages", value)).rejects.toThrow("away");
    registry.find = find;
    expect(await read("messages", value)).toMatchObject({ messageId: "m1" });
  });
});

describe("bytes that are no value", () => {
  test.each([
    ["nothing", Buffer.of()],
    ["less than a schema's id", Buffer.of(0, 0, 0, 1)],
    ["JSON", Buffer.from('{"type":"SENT"}')],
    ["another magic byte", Buffer.of(1, 0, 0, 0, 1, 2, 3)],
  ])("are poison: %s", async (_name, bytes) => {
    await expect(read("messages", bytes)).rejects.toMatchObject(poison("wire format"));
  });

  test("are poison when they are cut short anywhere, or followed by another byte", async () => {
    const whole = Buffer.from(codec.encode("messages", sample));
    for (let length = 5; length < whole.length; length++)
      await expect(read("messages", whole.subarray(0, length))).rejects.toMatchObject({ name: "Poison" });
    await expect(read("messages", Buffer.concat([whole, Buffer.of(0)]))).rejects.toMatchObject(poison("trailing"));
  });

  test("are poison above the size limit: a larger one for a chat's records than for ours", async () => {
    const large = (size: number): Buffer => wire(1, Buffer.alloc(size - 5));
    await expect(read("messages", large(1_048_589))).rejects.toMatchObject(poison("1048589 bytes"));
    await expect(read("inbox", large(2 * 1024 * 1024 + 1))).rejects.toMatchObject(poison("bytes"));
    const value = { topic: "t", partition: 0, offset: 0, timestamp: 0, key: "k", value: Buffer.alloc(1_048_588) };
    expect(await read("inboxStrays", codec.encode("inboxStrays", value))).toEqual(value);
  });

  const id = (topic: TopicId): number => Buffer.from(codec.encode(topic, samples[topic])).readUInt32BE(1);
  const samples: Partial<Record<TopicId, unknown>> = {
    messages: sample,
    users: user("ada", "12:00").value,
    inbox: { entries: [] },
    deadLetters: undefined,
  };

  // The count of a block of an array or map: more items than any producer could send.
  const counts = [2 ** 31, 2 ** 40, 2 ** 52, -(2 ** 31), -(2 ** 52)];
  const long = (value: number): Buffer => avroType('"long"').toBuffer(value);
  test.each(counts)("are poison at once where an array or a map claims %d items", async (count) => {
    for (const block of [
      long(count),
      Buffer.concat([long(count), long(1)]),
      Buffer.concat([long(1), long(0), long(count)]),
    ])
      await expect(read("inbox", wire(id("inbox"), block))).rejects.toMatchObject({ name: "Poison" });
    const head = Buffer.from(codec.encode("users", user("ada", "12:00").value)).subarray(5);
    for (let at = 0; at <= head.length; at++) {
      const bytes = wire(
        id("users"),
        Buffer.concat([head.subarray(0, at), long(count), long(count), head.subarray(at)]),
      );
      await read("users", bytes).catch((error: unknown) => expect(error).toMatchObject({ name: "Poison" }));
    }
    const extra = { name: "extra", type: { type: "map", values: { type: "array", items: "string" } } };
    const value = await written(
      "users",
      { ...(JSON.parse(schemaOf(topics.users)) as RecordSchema), fields: [extra] },
      { extra: {} },
    );
    const skipped = Buffer.concat([Buffer.from(value).subarray(0, 5), long(count), long(count)]);
    await expect(read("users", skipped)).rejects.toMatchObject({ name: "Poison" });
  });

  test("are poison or a value, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<TopicId>("messages", "users", "inbox"),
        fc.uint8Array({ maxLength: 200 }),
        async (topic, bytes) => {
          await read(topic, wire(id(topic), bytes)).catch((error: unknown) =>
            expect(error).toMatchObject({ name: "Poison" }),
          );
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

test("a service with unregistered schemas stops and says what to do", async () => {
  const told = { name: "Fatal", message: expect.stringContaining("run `ops topics`") as string };
  await expect(registeredIds(product, memoryRegistry(), "")).rejects.toMatchObject(told);
});

const contract = fileURLToPath(new URL("../../../shared/contract", import.meta.url));
const isThere = existsSync(contract);
test.skipIf(!isThere)(
  `the public schemas are those of the contract (${isThere ? "they are at hand" : "not at hand: skipped"})`,
  () => {
    const names = readdirSync(contract).filter((name) => name.endsWith(".avsc"));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const own = fileURLToPath(new URL(`../../schemas/${name}`, import.meta.url));
      expect([name, JSON.parse(readFileSync(own, "utf8"))]).toEqual([
        name,
        JSON.parse(readFileSync(`${contract}/${name}`, "utf8")),
      ]);
    }
  },
);
