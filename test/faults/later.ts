import { topics } from "../../services/domain/topics.ts";
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inject } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { avroType } from "../../services/platform/adapters/registry/avro.ts";
import { subjectOf } from "../../services/platform/adapters/registry/codec.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { folder, type World } from "../support/world.ts";

/** A field that every record of the later version has, and that the present version does not know. */
const FIELD = { name: "laterField", type: ["null", "string"], default: null } as const;

/** Schemas whose every field is known to the rules: a version that declares more than its rules handle can't exist. */
const STRICT = "role-settings.avsc";

interface Schema {
  readonly name: string;
  readonly fields: readonly Field[];
}
interface Field {
  readonly name: string;
  readonly type: unknown;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const KEPT = ["deploy", "package.json", "schemas", "services", "templates", "test"] as const;

/** A later version: its sources, and a producer that writes the new field. */
export interface LaterVersion {
  /** The program that its processes run. */
  readonly main: string;
  /** Registers its schemas, the first step of an upgrade. */
  register(chat: World): Promise<void>;
  /** Returns the same records, with messages as the later version writes them: with the new field. */
  publish(chat: World, records: readonly NewRecord[]): Promise<void>;
}

/**
 * Copies the sources and gives each record another field with a default: a compatible change by the registry's rules.
 */
export const laterVersion = (): LaterVersion => {
  const copy = folder();
  for (const name of KEPT) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const schemas = join(copy, "schemas");
  for (const name of readdirSync(schemas).filter((file) => file.endsWith(".avsc") && file !== STRICT))
    writeFileSync(join(schemas, name), JSON.stringify(grown(JSON.parse(readFileSync(join(schemas, name), "utf8")))));
  const schema = JSON.stringify(JSON.parse(readFileSync(join(schemas, "message-event.avsc"), "utf8")));
  const type = avroType(schema);
  const registry = openRegistry(inject("registry"));

  return {
    main: join(copy, "test/faults/victim.ts"),
    async register({ environment }) {
      const env = { ...process.env, ...environment };
      await promisify(execFile)(process.execPath, [join(copy, "services/ops/main.ts"), "topics"], { env });
    },
    async publish({ codec, log, prefix }, records) {
      const id = (await registry.idOf(subjectOf(topics.messages, prefix), schema)) ?? 0;
      const prefixed = (body: Buffer): Buffer => Buffer.concat([Buffer.of(0), int(id), body]);
      await log.publish(
        records.map(({ topic, key, value }) => ({
          topic,
          key,
          value:
            topic === "messages"
              ? prefixed(type.toBuffer({ ...value, [FIELD.name]: "not known before" }))
              : value && codec.encode(topic, value),
        })),
      );
    },
  };
};

const int = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

/** The schema with the new field, in each record within it too. */
const grown = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(grown);
  if (typeof schema !== "object" || schema === null) return schema;
  const own = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, grown(value)]));
  return own["type"] === "record" ? { ...own, fields: [FIELD, ...(own as unknown as Schema).fields] } : own;
};
