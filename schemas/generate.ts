/**
 * Writes the TypeScript types of every record in `schemas/`: the platform's own into `services/platform/contract`, the
 * others into `services/domain`, with the type of each topic's values. `--check` only reports whether they are stale
 * (exit code 1). A field's name tells its concept: `userId` is a UserId.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { topics } from "../services/domain/topics.ts";

interface Named {
  readonly type: "record" | "enum" | "array" | "map";
  readonly name: string;
  readonly doc?: string;
  readonly fields?: readonly Field[];
  readonly symbols?: readonly string[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly logicalType?: string;
}
type Schema = string | Named | readonly Schema[] | { readonly type: string; readonly logicalType: string };
interface Field {
  readonly name: string;
  readonly type: Schema;
  readonly doc?: string;
}

const folder = fileURLToPath(new URL(".", import.meta.url));
const targetOf = (room: string): string => fileURLToPath(new URL(`../services/${room}/records.ts`, import.meta.url));

/** Schemas of records that the platform itself writes. */
const PLATFORM = ["dead-letter", "stray"];

const primitives: Readonly<Record<string, string>> = {
  string: "string",
  boolean: "boolean",
  int: "number",
  long: "number",
  double: "number",
  bytes: "Uint8Array",
  null: "null",
};

const concepts: Readonly<Record<string, string>> = {
  userId: "UserId",
  senderId: "UserId",
  conversationId: "ConversationId",
  messageId: "MessageId",
  referencedMessageId: "MessageId",
  notificationId: "NotificationId",
};
const conceptsOfLists: Readonly<Record<string, string>> = {
  mentions: "UserId",
  recipients: "UserId",
  mentioned: "UserId",
  messageIds: "MessageId",
};

let declarations = new Map<string, string>();

const comment = (doc: string | undefined): string => (doc ? `/** ${doc} */\n` : "");

const typeOf = (schema: Schema, field: string): string => {
  if (typeof schema === "string")
    return schema === "string" ? (concepts[field] ?? "string") : (primitives[schema] ?? schema);
  if (Array.isArray(schema)) return schema.map((branch: Schema) => typeOf(branch, field)).join(" | ");
  const named = schema as Named;
  if (named.logicalType === "timestamp-millis") return "Millis";
  switch (named.type) {
    case "record":
      declareRecord(named);
      return named.name;
    case "enum":
      declarations.set(
        named.name,
        `export type ${named.name} = ${(named.symbols ?? []).map((symbol) => `"${symbol}"`).join(" | ")};`,
      );
      return named.name;
    case "array": {
      const concept = named.items === "string" ? conceptsOfLists[field] : undefined;
      return `readonly (${concept ?? typeOf(named.items ?? "null", field)})[]`;
    }
    case "map":
      return `Readonly<Record<string, ${typeOf(named.values ?? "null", "")}>>`;
    default:
      return typeOf(named.type, field);
  }
};

const declareRecord = (record: Named): void => {
  const fields = (record.fields ?? []).map(
    (field) => `${comment(field.doc)}readonly ${field.name}: ${typeOf(field.type, field.name)};`,
  );
  declarations.set(record.name, `${comment(record.doc)}export interface ${record.name} {\n${fields.join("\n")}\n}`);
};

/** Declares the records of the schemas; returns the name of each schema's record. */
const declareAll = (schemas: readonly string[]): ReadonlyMap<string, string> => {
  declarations = new Map();
  return new Map(
    schemas.map((schema) => {
      const record = JSON.parse(readFileSync(`${folder}${schema}.avsc`, "utf8")) as Named;
      declareRecord(record);
      return [schema, record.name];
    }),
  );
};

/** The type of each topic's values. */
const valuesOf = (records: ReadonlyMap<string, string>): string => {
  const lines = Object.entries(topics).map(([id, { schema }]) => `readonly ${id}: ${records.get(schema)};`);
  return `/** Types of the values of each topic. */\nexport interface Values {\n${lines.join("\n")}\n}`;
};

const formatted = async (room: string, ...parts: readonly string[]): Promise<string> =>
  format(["// Generated from schemas/ by `npm run generate`. Edit the schemas instead.", ...parts].join("\n\n"), {
    ...(await resolveConfig(targetOf(room))),
    parser: "typescript",
  });

const generate = async (): Promise<ReadonlyMap<string, string>> => {
  const all = readdirSync(folder).flatMap((file) => (file.endsWith(".avsc") ? [file.slice(0, -".avsc".length)] : []));
  const own = declareAll(PLATFORM);
  const platform = await formatted(
    "platform/contract",
    'import type { Millis } from "./time.ts";',
    ...declarations.values(),
  );
  const others = declareAll(all.filter((schema) => !PLATFORM.includes(schema)).toSorted());
  const domain = await formatted(
    "domain",
    `import type { ${[...own.values()].join(", ")} } from "../platform/contract/records.ts";`,
    'import type { Millis } from "../platform/contract/time.ts";',
    'import type { ConversationId, MessageId, NotificationId, UserId } from "./ids.ts";',
    ...declarations.values(),
    valuesOf(new Map([...own, ...others])),
  );
  return new Map([
    ["platform/contract", platform],
    ["domain", domain],
  ]);
};

for (const [room, fresh] of await generate()) {
  if (!process.argv.includes("--check")) writeFileSync(targetOf(room), fresh);
  else if (readFileSync(targetOf(room), "utf8") !== fresh) {
    console.error(`services/${room}/records.ts is stale: run \`npm run generate\``);
    process.exitCode = 1;
  }
}
