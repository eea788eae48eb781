import { z } from "zod";
import { isTimeZone } from "./zone.ts";

/** Values that a setting may have: their check, and how they are written on a command line. */
export interface SettingKind<Value> {
  /** Refuses every other value with `requirement`, or with the requirement of the part that is wrong. */
  readonly schema: z.ZodType<Value>;
  /** Form of a value on the command line. */
  readonly form: string;
  /** Range of the values, for a person; null where the form says everything. */
  readonly range: string | null;
  /** End of the sentence that refuses a value: `must be a number from 0 to 900`. */
  readonly requirement: string;
  /** Reads a value as it is written. Returns the text itself where it can't be read, for the schema to refuse. */
  readonly read: (text: string) => unknown;
  /** Writes a value in the form that `read` takes. */
  write(value: Value): string;
}

const NONE = "none";

/** Doesn't rely on `Number` alone, which reads "" as 0. */
const readNumber = (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

/** Numbers within a range, both ends included. */
export const numberFrom = (least: number, most: number): SettingKind<number> => {
  const range = `from ${least} to ${most}`;
  const requirement = `must be a number ${range}`;
  const schema = z.number(requirement).min(least, requirement).max(most, requirement);
  return { schema, form: "a number", range, requirement, read: readNumber, write: String };
};

/** Whole numbers within a range, both ends included. */
export const wholeNumberFrom = (least: number, most: number): SettingKind<number> => {
  const range = `from ${least} to ${most}`;
  const requirement = `must be a whole number ${range}`;
  const schema = z.int(requirement).min(least, requirement).max(most, requirement);
  return { schema, form: "a whole number", range, requirement, read: readNumber, write: String };
};

/** One of several words. */
export const oneOf = <Word extends string>(...words: readonly Word[]): SettingKind<Word> => {
  const requirement = `must be ${words.join(" or ")}`;
  const schema = z.enum(words, requirement);
  return { schema, form: words.join("|"), range: null, requirement, read: (text) => text, write: (word) => word };
};

const BOOLEAN = "must be true or false";

/** True or false. */
export const trueOrFalse: SettingKind<boolean> = {
  schema: z.boolean(BOOLEAN),
  form: "true|false",
  range: null,
  requirement: BOOLEAN,
  read: (text) => (text === "true" ? true : text === "false" ? false : text),
  write: String,
};

/** A daily stretch of local time; before `from` where it wraps midnight. */
interface DailyHours {
  readonly from: string;
  readonly to: string;
  /** Name in the IANA time zone database; null: the recipient's own zone, else UTC. */
  readonly timezone: string | null;
}

const CLOCK = "must be HH:MM, from 00:00 to 23:59";
const ZONE = "must be an IANA time zone, for example Europe/Berlin";
const HOURS = "must be hours of a day: HH:MM-HH:MM[@ZONE], in JSON {from, to, timezone}";
const clock = z.string(CLOCK).regex(/^([01]\d|2[0-3]):[0-5]\d$/, CLOCK);

const readHours = (text: string): unknown => {
  const match = /^([^-@]*)-([^-@]*)(?:@(.+))?$/.exec(text);
  return match === null ? text : { from: match[1], to: match[2], timezone: match[3] ?? null };
};

/** Hours of every local day, with the time zone for recipients who have none of their own. */
export const dailyHours: SettingKind<DailyHours> = {
  schema: z.strictObject(
    { from: clock, to: clock, timezone: z.string(ZONE).refine(isTimeZone, ZONE).nullable().default(null) },
    HOURS,
  ),
  form: "HH:MM-HH:MM[@ZONE]",
  range: "from 00:00 to 23:59, ZONE an IANA time zone",
  requirement: HOURS,
  read: readHours,
  write: ({ from, to, timezone }) => `${from}-${to}${timezone === null ? "" : `@${timezone}`}`,
};

/** Values of another kind, or none: null. */
export const orNone = <Value>(kind: SettingKind<Value>): SettingKind<Value | null> => ({
  ...kind,
  schema: kind.schema.nullable(),
  form: `${kind.form}|${NONE}`,
  read: (text) => (text === NONE ? null : kind.read(text)),
  write: (value) => (value === null ? NONE : kind.write(value)),
});
