import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Codec } from "../services/platform/contract/ports.ts";
import { product, type TopicId, topicIds, topics } from "../services/domain/topics.ts";
import { memoryRegistry } from "../services/platform/memory/registry.ts";
import { avroType } from "../services/platform/adapters/registry/avro.ts";
import { avroCodec, registeredIds, schemaOf, subjectOf } from "../services/platform/adapters/registry/codec.ts";
import type { Registry } from "../services/platform/adapters/registry/registry.ts";
import { message, user } from "../test/support/chat.ts";
import { settingsSaid } from "../test/support/settings.ts";

/**
 * The records of these schemas through the codec, in Confluent's wire format. The codec itself is tested beside it
 * (services/platform/adapters/registry/codec.test.ts).
 */

let registry: Registry;
let codec: Codec;
beforeEach(async () => {
  registry = memoryRegistry();
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

  test("written by a newer schema has only the fields that ours has, in any order of writing", async () => {
    const extra = { name: "reactions", type: { type: "array", items: "string" }, default: [] };
    const later = { ...schema, fields: [extra, ...schema.fields.toReversed()] };
    const value = await written("messages", later, { ...sample, reactions: ["👍", "👎"] });
    expect(await read("messages", value)).toEqual(sample);
  });

  test("as large as Kafka's default limit fits into a stray, with its origin around it", async () => {
    const value = { topic: "t", partition: 0, offset: 0, timestamp: 0, key: "k", value: Buffer.alloc(1_048_588) };
    expect(await read("inboxStrays", codec.encode("inboxStrays", value))).toEqual(value);
  });
});

describe("bytes that are no value", () => {
  test("are poison when they are cut short anywhere, or followed by another byte", async () => {
    const whole = Buffer.from(codec.encode("messages", sample));
    for (let length = 5; length < whole.length; length++)
      await expect(read("messages", whole.subarray(0, length))).rejects.toMatchObject({ name: "Poison" });
    await expect(read("messages", Buffer.concat([whole, Buffer.of(0)]))).rejects.toMatchObject(poison("trailing"));
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

const contract = fileURLToPath(new URL("../../shared/contract", import.meta.url));
const isThere = existsSync(contract);
test.skipIf(!isThere)(
  `the public schemas are those of the contract (${isThere ? "they are at hand" : "not at hand: skipped"})`,
  () => {
    const names = readdirSync(contract).filter((name) => name.endsWith(".avsc"));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const own = fileURLToPath(new URL(name, import.meta.url));
      expect([name, JSON.parse(readFileSync(own, "utf8"))]).toEqual([
        name,
        JSON.parse(readFileSync(`${contract}/${name}`, "utf8")),
      ]);
    }
  },
);
