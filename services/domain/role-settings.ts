import { z } from "zod";
import { Poison } from "../platform/contract/failure.ts";
import { checkKey, type LogRecord } from "./log-record.ts";
import type { GlobalTable } from "../platform/contract/processor.ts";
import type { RoleSettings } from "./records.ts";
import {
  dailyHours,
  numberFrom,
  oneOf,
  orNone,
  type SettingKind,
  trueOrFalse,
  wholeNumberFrom,
} from "./setting-kinds.ts";
import { type Millis, SECOND } from "../platform/contract/time.ts";

/** The role of users without a role. Its settings hold for roles without settings, too. */
export const DEFAULT_ROLE = "default";

/** Settings of a role, with times in seconds: what a record of the topic has beside its role, version and time. */
export type SettingsFields = Omit<RoleSettings, "role" | "version" | "occurredAt">;

/** Names of settings as they are written on a command line: a setting within another one after a dot. */
export type SettingName = {
  [Field in keyof SettingsFields]: SettingsFields[Field] extends object
    ? `${Field}.${keyof SettingsFields[Field] & string}`
    : Field;
}[keyof SettingsFields];

type SettingValue<Name> = Name extends keyof SettingsFields
  ? SettingsFields[Name]
  : Name extends `${infer Group extends keyof SettingsFields}.${infer Field}`
    ? SettingsFields[Group][Field & keyof SettingsFields[Group]]
    : never;

/** A row of the table. */
export interface Setting<Value> {
  /** The check of a value, and its form on the command line. */
  readonly kind: SettingKind<Value>;
  readonly default: Value;
  /** Unit of a number; null: none. */
  readonly unit: string | null;
  /** Sentence for `ops settings set --help`. */
  readonly help: string;
}

const secondsFrom = (least: number, most: number): Pick<Setting<number>, "kind" | "unit"> => ({
  kind: { ...numberFrom(least, most), form: "seconds" },
  unit: "seconds",
});

/**
 * Every setting by role. Parsing, ranges in messages, `ops settings` and `ops whatif` come from this table. Defaults are
 * those of schemas/role-settings.avsc; services/ops/settings/setting-table.test.ts compares the two.
 */
export const roleSettings: { readonly [Name in SettingName]: Setting<SettingValue<Name>> } = {
  timeout: {
    ...secondsFrom(0, 900),
    default: 300,
    help: "time that a recipient must be away, and a message missed, before a notification",
  },
  settle: {
    ...secondsFrom(0, 60),
    default: 10,
    help: "quiet time after the latest message before a notification",
  },
  "cooldown.first": {
    ...secondsFrom(0, 86_400),
    default: 900,
    help: "least time between the first and the second notification while the recipient stays away",
  },
  "cooldown.factor": {
    kind: numberFrom(1, 10),
    default: 2,
    unit: null,
    help: "growth of the cooldown with every further notification",
  },
  "cooldown.max": {
    ...secondsFrom(0, 604_800),
    default: 86_400,
    help: "longest cooldown between two notifications",
  },
  whileOnline: {
    kind: oneOf("hold", "notify"),
    default: "hold",
    unit: null,
    help: "hold: nothing is told while the recipient is online; notify: unless the conversation is on screen",
  },
  group: {
    kind: oneOf("conversation", "recipient"),
    default: "conversation",
    unit: null,
    help: "one notification for each conversation, or one for all conversations of the recipient",
  },
  quietHours: {
    kind: orNone(dailyHours),
    default: null,
    unit: null,
    help: "hours of the local day without notifications; ZONE is for recipients without a time zone",
  },
  dailyCap: {
    kind: orNone(wholeNumberFrom(1, 1_000)),
    default: null,
    unit: "notifications",
    help: "most notifications to a recipient since local midnight",
  },
  emailEnabled: {
    kind: trueOrFalse,
    default: true,
    unit: null,
    help: "false: notifications are published, but no email is sent",
  },
};

/** Rows without the types of their values, for code that treats all alike. */
const rows: Readonly<Record<SettingName, Setting<unknown>>> = roleSettings;

export const settingNames = Object.keys(roleSettings) as readonly SettingName[];

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(roleSettings, name);

export const settingOf = (name: SettingName): Setting<unknown> => rows[name];

/** Field of a setting, and its field within that one where the name has a dot. */
const fieldsIn = (name: SettingName): readonly [field: string, inner: string | undefined] => {
  const [field = name, inner] = name.split(".");
  return [field, inner];
};

/** The settings that stand within each field; empty: the field is a setting itself. */
const innerNames = (): ReadonlyMap<string, readonly SettingName[]> => {
  const found = new Map<string, readonly SettingName[]>();
  for (const name of settingNames) {
    const [field, inner] = fieldsIn(name);
    found.set(field, inner === undefined ? [] : [...(found.get(field) ?? []), name]);
  }
  return found;
};

const namesByField = innerNames();

/** Tells if settings as JSON may have a field of that name at the top. */
export const isSettingField = (name: string): boolean => namesByField.has(name);

/** Fields of settings as JSON, for a person: `timeout, settle, cooldown {first, factor, max}, …`. */
export const settingFieldList: string = [...namesByField]
  .map(([field, names]) =>
    names.length === 0 ? field : `${field} {${names.map((name) => fieldsIn(name)[1]).join(", ")}}`,
  )
  .join(", ");

const schemaOf = (name: SettingName): z.ZodType => rows[name].kind.schema.default(rows[name].default as {});

const groupSchema = (names: readonly SettingName[]): z.ZodType => {
  const inner = names.map((name) => [fieldsIn(name)[1] ?? name, schemaOf(name)] as const);
  const requirement = `must be an object of ${inner.map(([field]) => field).join(", ")}`;
  return z.strictObject(Object.fromEntries(inner), requirement).prefault({});
};

const settingsSchema = z.strictObject(
  Object.fromEntries(
    [...namesByField].map(([field, names]) => [
      field,
      names.length === 0 ? schemaOf(field as SettingName) : groupSchema(names),
    ]),
  ),
  "must be an object of settings",
);

/** Checks names and ranges. Throws Poison with each field that is wrong and its range. */
export const parseSettings = (given: unknown): SettingsFields => {
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return parsed.data as SettingsFields; // by the table's type
  const wrong = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${[...issue.path, key].join(".")}: is not a setting`)
      : [`${issue.path.length === 0 ? "" : `${issue.path.join(".")}: `}${issue.message}`],
  );
  throw new Poison(wrong.join("; "));
};

export const defaultSettings: SettingsFields = parseSettings({});

/** Fields of a setting that holds others; none where it is missing or no object. */
const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};

/** The value of a setting as it is written on a command line. */
export const writtenSetting = (settings: SettingsFields, name: SettingName): string => {
  const [field, inner] = fieldsIn(name);
  const fields: Readonly<Record<string, unknown>> = settings;
  return rows[name].kind.write(inner === undefined ? fields[field] : objectOf(fields[field])[inner]);
};

/** Changes one setting to the value that `text` writes, unchecked: `parseSettings` checks it. */
export const withSetting = (
  settings: Readonly<Record<string, unknown>>,
  name: SettingName,
  text: string,
): Readonly<Record<string, unknown>> => {
  const [field, inner] = fieldsIn(name);
  const value = rows[name].kind.read(text);
  return {
    ...settings,
    [field]: inner === undefined ? value : { ...objectOf(settings[field]), [inner]: value },
  };
};

/** Settings of a role from a time on; null: the role's settings were reset. */
interface Revision {
  /** The record's own time. The revision with the latest time holds. */
  readonly at: Millis;
  /** The record's timestamp. The revision holds for no earlier time. */
  readonly loggedAt: Millis;
  readonly settings: SettingsFields | null;
}

/** Settings of every role at every time. */
export interface SettingsBook {
  /** Revisions by role, in the order of the log. */
  readonly revisions: ReadonlyMap<string, readonly Revision[]>;
  /** Times of all changes, in order, without repeats. */
  readonly changes: readonly Millis[];
}

export const noSettings: SettingsBook = { revisions: new Map(), changes: [] };

/** Finds the settings of a role at the stream's time `at`: its own, else those of `default`, else the table's defaults. */
export const settingsAt = (book: SettingsBook, role: string | null, at: Millis): SettingsFields =>
  (role === null ? null : latest(book, role, at)) ?? latest(book, DEFAULT_ROLE, at) ?? defaultSettings;

const latest = ({ revisions }: SettingsBook, role: string, at: Millis): SettingsFields | null => {
  let found: Revision | null = null;
  for (const revision of revisions.get(role) ?? [])
    if (revision.loggedAt <= at && (found === null || revision.at >= found.at)) found = revision;
  return found?.settings ?? null;
};

/** Finds the first change after `at`; null: none is known. */
export const nextChange = ({ changes }: SettingsBook, at: Millis): Millis | null =>
  (changes[changes.length - 1] ?? -Infinity) <= at ? null : (changes.find((change) => change > at) ?? null);

/** Global table of the topic of settings. */
export const settingsTable: GlobalTable<SettingsBook> = {
  topics: ["settings"],
  initial: noSettings,
  apply: (book, record: LogRecord) => (record.topic === "settings" ? revised(book, record) : book),
};

const revised = (
  book: SettingsBook,
  { key, value, at, loggedAt: timestamp }: Extract<LogRecord, { topic: "settings" }>,
): SettingsBook => {
  const settings = value === null ? null : fieldsOf(key, value);
  const revisions = new Map(book.revisions);
  revisions.set(key, [...(revisions.get(key) ?? []), { at, loggedAt: timestamp, settings }]);
  const changes = [...new Set([...book.changes, timestamp])].toSorted((a, b) => a - b);
  return { revisions, changes };
};

const fieldsOf = (
  key: string,
  { role, version: _version, occurredAt: _at, ...fields }: RoleSettings,
): SettingsFields => {
  checkKey(key, "role", role);
  return parseSettings(fields);
};

export const milliseconds = (seconds: number): Millis => Math.round(seconds * SECOND);
