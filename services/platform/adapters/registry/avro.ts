import avro from "avsc";

/**
 * Makes the avsc type of a schema. This file alone imports avsc. Records that it reads have their fields alone, without
 * avsc's methods, which would be enumerated beside them.
 * @param schema JSON text. Throws where it isn't Avro
 */
export const avroType = (schema: string): AvroType =>
  avro.Type.forSchema(JSON.parse(schema) as avro.Schema, { omitRecordMethods: true });

export type AvroType = avro.Type;

/** Tells whether the reader schema reads all that the writer schema has written (Avro: BACKWARD compatible). */
export const canRead = (reader: string, writer: string): boolean => {
  try {
    avroType(reader).createResolver(avroType(writer));
    return true;
  } catch {
    return false;
  }
};

/** Completes a JSON value for a schema: missing fields get their defaults, and unknown fields are left out. */
export const withDefaults = (type: AvroType, value: unknown): unknown => {
  if (avro.Type.isType(type, "record")) return isRecord(value) ? filled(type as avro.types.RecordType, value) : value;
  if (avro.Type.isType(type, "array"))
    return Array.isArray(value)
      ? value.map((item) => withDefaults((type as avro.types.ArrayType).itemsType, item))
      : value;
  if (!avro.Type.isType(type, "union") || value === null) return value;
  const other = (type as avro.types.UnwrappedUnionType).types.find(({ typeName }) => typeName !== "null");
  return other === undefined ? value : withDefaults(other, value);
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const filled = ({ fields }: avro.types.RecordType, value: Readonly<Record<string, unknown>>): unknown => {
  const all: Record<string, unknown> = {};
  for (const { name, type, defaultValue } of fields) {
    const own = Object.hasOwn(value, name) ? value[name] : defaultValue();
    if (own !== undefined) all[name] = withDefaults(type, own);
  }
  return all;
};

/** The reasons why a value is not of the type, field by field; none where it is. */
export const problemsOf = (type: AvroType, value: unknown): readonly string[] => {
  const problems: string[] = [];
  type.isValid(value, {
    errorHook(path, found, wanted) {
      const where = path.length === 0 ? "the value" : path.join(".");
      problems.push(found === undefined ? `${where} is missing` : `${where} is not ${nameOf(wanted)}`);
    },
  });
  return problems;
};

const nameOf = (type: AvroType): string => {
  if (avro.Type.isType(type, "enum")) return `one of ${(type as avro.types.EnumType).symbols.join(", ")}`;
  if (avro.Type.isType(type, "union")) return (type as avro.types.UnwrappedUnionType).types.map(nameOf).join(" or ");
  const { typeName } = type;
  if (typeName === "null") return typeName;
  return `${/^[aei]/.test(typeName) ? "an" : "a"} ${typeName.replace("logical:", "")}`;
};

/** avsc's position in a buffer. */
interface Tap {
  readonly buf: Uint8Array;
  readonly pos: number;
  readLong(): number;
  skipLong(): void;
  readString(): string;
  skipString(): void;
}

/** An avsc type or resolver, as its own code sees it. */
interface Part {
  readonly itemsType: Part;
  readonly valuesType: Part;
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/**
 * Reads the number of items in the next block of an array or map (Avro 1.12, "Binary encoding"); 0 is the end. avsc
 * believes any number and reads on behind the end of the buffer: nine bytes of garbage would keep it busy for years. An
 * item takes a byte at least, except in an array of nulls, which none of our schemas has.
 */
const blockSize = (tap: Tap): number => {
  let items = tap.readLong();
  if (items < 0) {
    tap.skipLong(); // the block's size in bytes
    items = -items;
  }
  if (items <= tap.buf.length - tap.pos) return items;
  if (items === 0) return 0; // the buffer has ended already, and avsc reports that
  throw new Error(`a block claims ${items} items, but ${tap.buf.length - tap.pos} bytes are left`);
};

Object.assign(avro.types.ArrayType.prototype, {
  _read(this: Part, tap: Tap) {
    const items: unknown[] = [];
    for (let left = blockSize(tap); left > 0; left = blockSize(tap))
      for (; left > 0; left--) items.push(this.itemsType._read(tap));
    return items;
  },
  _skip(this: Part, tap: Tap) {
    for (let left = blockSize(tap); left > 0; left = blockSize(tap)) for (; left > 0; left--) this.itemsType._skip(tap);
  },
});

Object.assign(avro.types.MapType.prototype, {
  _read(this: Part, tap: Tap) {
    const values: Record<string, unknown> = {};
    for (let left = blockSize(tap); left > 0; left = blockSize(tap))
      for (; left > 0; left--) {
        const key = tap.readString();
        const value = this.valuesType._read(tap);
        if (key === "__proto__") Object.defineProperty(values, key, { value, enumerable: true, configurable: true });
        else values[key] = value;
      }
    return values;
  },
  _skip(this: Part, tap: Tap) {
    for (let left = blockSize(tap); left > 0; left = blockSize(tap))
      for (; left > 0; left--) {
        tap.skipString();
        this.valuesType._skip(tap);
      }
  },
});
