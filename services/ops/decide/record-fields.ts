import { MAX_TIME } from "../../platform/contract/time.ts";

/** An Avro schema (1.12, "Schema Declaration") as JSON: the attributes read here. */
type Schema = string | readonly Schema[] | Declaration;

interface Declaration {
  readonly type: Schema;
  readonly name?: string;
  readonly logicalType?: string;
  readonly fields?: readonly (Declaration & { readonly name: string })[];
  readonly items?: Schema;
}

/** Remarks on a value that fits its schema's types. */
export interface Remarks {
  /** Unknown fields, each with the schema's fields. */
  readonly unknown: readonly string[];
  /** Fields with a time beyond the range of dates. */
  readonly beyond: readonly string[];
}

const nothing: Remarks = { unknown: [], beyond: [] };

/** Makes remarks on all fields, nested ones too. Keys of maps are free. @param text the schema's JSON */
export const remarksOn = (text: string): ((value: unknown) => Remarks) => {
  const schema = JSON.parse(text) as Schema;
  return (value) => visited(schema, value, []);
};

const visited = (schema: Schema, value: unknown, path: readonly string[]): Remarks => {
  if (typeof schema === "string" || value === null) return nothing;
  if (isUnion(schema)) return visited(schema.find((one) => one !== "null") ?? "null", value, path);
  if (schema.fields !== undefined) return ofRecord(schema, schema.fields, value, path);
  if (schema.items !== undefined) return ofItems(schema.items, value, path);
  if (schema.logicalType === "timestamp-millis") return ofTime(value, path);
  return visited(schema.type, value, path);
};

const isUnion = (schema: Exclude<Schema, string>): schema is readonly Schema[] => Array.isArray(schema);

const ofRecord = (
  { name }: Declaration,
  fields: NonNullable<Declaration["fields"]>,
  value: unknown,
  path: readonly string[],
): Remarks => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return nothing;
  const has = fields.map((field) => field.name).join(", ");
  return joined(
    Object.entries(value).map(([key, own]) => {
      const field = fields.find((one) => one.name === key);
      const place = [...path, key];
      if (field !== undefined) return visited(field.type, own, place);
      return { ...nothing, unknown: [`${place.join(".")} is no field of ${name ?? "the record"}, which has ${has}`] };
    }),
  );
};

const ofItems = (items: Schema, value: unknown, path: readonly string[]): Remarks =>
  Array.isArray(value) ? joined(value.map((item, index) => visited(items, item, [...path, String(index)]))) : nothing;

/** Checks whole numbers only. Avro's types refuse other numbers as a long. */
const ofTime = (value: unknown, path: readonly string[]): Remarks =>
  Number.isInteger(value) && Math.abs(value as number) > MAX_TIME ? { ...nothing, beyond: [path.join(".")] } : nothing;

const joined = (all: readonly Remarks[]): Remarks => ({
  unknown: all.flatMap(({ unknown }) => unknown),
  beyond: all.flatMap(({ beyond }) => beyond),
});
