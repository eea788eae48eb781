import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { memoryRegistry } from "../../services/platform/memory/registry.ts";
import { openRegistry, type Registry } from "../../services/platform/adapters/registry/registry.ts";

const schema = (...fields: readonly object[]): string =>
  JSON.stringify({ type: "record", name: "Contract", namespace: "test", fields });
const text = { name: "text", type: "string" };
const count = { name: "count", type: "int", default: 7 };
const needed = { name: "needed", type: "string" };

/** The contract of a registry (services/platform/adapters/registry/registry.ts). Both registries pass. */
describe.each([
  ["in memory", () => memoryRegistry()],
  ["over HTTP", () => openRegistry(inject("registry"))],
])("a registry %s", (_name, open) => {
  let registry: Registry;
  beforeAll(() => {
    registry = open();
  });
  const subject = (): string => `tests.${randomUUID()}-value`;

  test("finds a schema by its id, and the id by subject and schema", async () => {
    const own = subject();
    const { id, compatibility } = await registry.register(own, schema(text));
    expect(compatibility).toBe("BACKWARD");
    expect(await registry.idOf(own, schema(text))).toBe(id);
    expect(JSON.parse((await registry.find(id)) ?? "")).toMatchObject({ name: "Contract", fields: [text] });
    expect(await registry.register(own, schema(text))).toEqual({ id, compatibility });
  });

  test("keeps the id of a schema that was followed by another", async () => {
    const own = subject();
    const first = await registry.register(own, schema(text));
    await registry.register(own, schema(text, count));
    expect(await registry.idOf(own, schema(text))).toBe(first.id);
  });

  test("gives another schema another id, and keeps the first", async () => {
    const own = subject();
    const first = await registry.register(own, schema(text));
    const second = await registry.register(own, schema(text, count));
    expect(second.id).not.toBe(first.id);
    expect(JSON.parse((await registry.find(first.id)) ?? "")).toMatchObject({ fields: [text] });
    expect(JSON.parse((await registry.find(second.id)) ?? "")).toMatchObject({ fields: [text, count] });
  });

  test("refuses a schema that can't read earlier values, and forgets it", async () => {
    const own = subject();
    await registry.register(own, schema(text));
    const refused = [schema(text, needed), schema({ name: "text", type: "int" })];
    for (const each of refused) {
      await expect(registry.register(own, each)).rejects.toMatchObject({ name: "Fatal" });
      expect(await registry.idOf(own, each)).toBeNull();
    }
    await registry.register(own, schema(text, count));
  });

  test("finds no schema that was never registered", async () => {
    const own = subject();
    expect(await registry.idOf(own, schema(text))).toBeNull();
    await registry.register(own, schema(text));
    expect(await registry.idOf(own, schema(text, needed))).toBeNull();
    expect(await registry.idOf(subject(), schema(text))).toBeNull();
    expect(await registry.find(2_000_000_000)).toBeNull();
  });
});

describe("a registry over HTTP", () => {
  test("that doesn't answer is a passing failure", async () => {
    const none = openRegistry("http://127.0.0.1:9");
    for (const ask of [() => none.find(1), () => none.idOf("a", schema(text)), () => none.register("a", schema(text))])
      await expect(ask()).rejects.toMatchObject({ name: "Transient" });
  });

  test("has schemas of other formats, which are found unchanged", async () => {
    const registered = async (schemaType: string, own: string): Promise<number> => {
      const response = await fetch(`${inject("registry")}/subjects/tests.${randomUUID()}/versions`, {
        method: "POST",
        headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
        body: JSON.stringify({ schemaType, schema: own }),
      });
      return ((await response.json()) as { id: number }).id;
    };
    const registry = openRegistry(inject("registry"));
    const json = '{"type":"object","properties":{"a":{"type":"string"}}}';
    expect(JSON.parse((await registry.find(await registered("JSON", json))) ?? "")).toEqual(JSON.parse(json));
    const protobuf = 'syntax = "proto3"; message A { string a = 1; }';
    expect(await registry.find(await registered("PROTOBUF", protobuf))).toContain("message A");
  });
});
