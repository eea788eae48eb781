import { z } from "zod";
import { Poison } from "../platform/contract/failure.ts";
import type { LogRecord } from "./log-record.ts";
import type { GlobalTable } from "../platform/contract/processor.ts";
import type { RoleSettings } from "./records.ts";
import { isTimeZone } from "./zone.ts";
import { type Millis, SECOND } from "../platform/contract/time.ts";

/** The role of those who have none, and the settings of roles that have none of their own. */
export const DEFAULT_ROLE = "default";

/** Refused with the whole range, whatever is wrong. */
const within = (least: number, most: number) => {
  const right = `must be a number from ${least} to ${most}`;
  return z.number(right).min(least, right).max(most, right);
};
const cap = "must be a whole number from 1 to 1000";
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be HH:MM, from 00:00 to 23:59");
const timezone = z.string().refine(isTimeZone, "must be an IANA time zone, Europe/Berlin say");

/** The table of design/semantics.md, in its own units: seconds. */
export const settingsFields = z.strictObject({
  timeout: within(0, 900).default(300),
  settle: within(0, 60).default(10),
  cooldown: z
    .strictObject({
      first: within(0, 86_400).default(900),
      factor: within(1, 10).default(2),
      max: within(0, 604_800).default(86_400),
    })
    .prefault({}),
  whileOnline: z.enum(["hold", "notify"]).default("hold"),
  group: z.enum(["conversation", "recipient"]).default("conversation"),
  quietHours: z
    .strictObject({ from: clock, to: clock, timezone: timezone.nullable().default(null) })
    .nullable()
    .default(null),
  dailyCap: z.int(cap).min(1, cap).max(1_000, cap).nullable().default(null),
  emailEnabled: z.boolean("must be true or false").default(true),
});

/** Settings of a role as they are said: times in seconds. */
export type SettingsFields = z.output<typeof settingsFields>;

export const defaultSettings: SettingsFields = settingsFields.parse({});

/** Checks names and ranges. Throws Poison with each field that is wrong and why. */
export const parseSettings = (fields: unknown): SettingsFields => {
  const parsed = settingsFields.safeParse(fields);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${[...issue.path, key].join(".")}: is not a setting`)
      : [`${issue.path.length === 0 ? "" : `${issue.path.join(".")}: `}${issue.message}`],
  );
  throw new Poison(wrong.join("; "));
};

/** Settings of a role from a time on; null: none of its own any more. */
interface Revision {
  /** Its own time: the latest holds. */
  readonly at: Millis;
  /** When the log had it: nothing goes by it before. */
  readonly loggedAt: Millis;
  readonly settings: SettingsFields | null;
}

/** Every role's settings at every time. */
export interface SettingsBook {
  /** By role, in the order of the log. */
  readonly revisions: ReadonlyMap<string, readonly Revision[]>;
  /** When anything changed, in order, each once. */
  readonly changes: readonly Millis[];
}

export const noSettings: SettingsBook = { revisions: new Map(), changes: [] };

/** What holds for a role at the stream's time `at`: its own settings, else those of `default`, else the table's. */
export const settingsAt = (book: SettingsBook, role: string | null, at: Millis): SettingsFields =>
  (role === null ? null : latest(book, role, at)) ?? latest(book, DEFAULT_ROLE, at) ?? defaultSettings;

const latest = ({ revisions }: SettingsBook, role: string, at: Millis): SettingsFields | null => {
  let found: Revision | null = null;
  for (const revision of revisions.get(role) ?? [])
    if (revision.loggedAt <= at && (found === null || revision.at >= found.at)) found = revision;
  return found?.settings ?? null;
};

/** The first change after `at`; null where none is known. */
export const nextChange = ({ changes }: SettingsBook, at: Millis): Millis | null =>
  (changes[changes.length - 1] ?? -Infinity) <= at ? null : (changes.find((change) => change > at) ?? null);

/** Reads the topic of settings. */
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
  if (role !== key) throw new Poison(`its key is "${key}" but its role "${role}"`);
  return parseSettings(fields);
};

export const milliseconds = (seconds: number): Millis => Math.round(seconds * SECOND);
