/**
 * Writes `services/domain/records.ts`, the TypeScript types of every record in `schemas/`; `--check` only says whether
 * it is stale (exit code 1). A field's name tells its concept: `userId` is a UserId.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

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
const target = fileURLToPath(new URL("../services/domain/records.ts", import.meta.url));

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

const declarations = new Map<string, string>();

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

const generate = async (): Promise<string> => {
  for (const file of readdirSync(folder).toSorted())
    if (file.endsWith(".avsc")) declareRecord(JSON.parse(readFileSync(`${folder}${file}`, "utf8")) as Named);
  const source = [
    "// Generated from schemas/ by `npm run generate`. Edit the schemas instead.",
    'import type { ConversationId, MessageId, NotificationId, UserId } from "./ids.ts";',
    'import type { Millis } from "./time.ts";',
    ...declarations.values(),
  ].join("\n\n");
  return format(source, { ...(await resolveConfig(target)), parser: "typescript" });
};

const fresh = await generate();
if (!process.argv.includes("--check")) writeFileSync(target, fresh);
else if (readFileSync(target, "utf8") !== fresh) {
  console.error("services/domain/records.ts is stale: run `npm run generate`");
  process.exitCode = 1;
}
