import { z } from "zod";
import { Fatal } from "../contract/failure.ts";

/** One environment variable: its meaning, and the zod schema that turns its text into a value. */
export interface Variable<T = unknown> {
  readonly about: string;
  readonly schema: z.ZodType<T, string | undefined>;
  /** true: the value is never printed. */
  readonly secret?: boolean;
  /** Example in the reference, where the variable has no default. */
  readonly example?: string;
}

/** The variables of a service, by name. The values of `parse` are keyed alike. */
export type Variables = Readonly<Record<string, Variable>>;
export type Settings<V extends Variables> = {
  readonly [Name in keyof V]: V[Name] extends Variable<infer T> ? T : never;
};

const withDefault = <T>(
  schema: z.ZodType<T, string>,
  fallback: string | undefined,
): z.ZodType<T, string | undefined> => (fallback === undefined ? schema : schema.prefault(fallback));

/** Text. An empty value counts as absent everywhere. */
export const text = (about: string, fallback?: string): Variable<string> => ({
  about,
  schema: withDefault(z.string(), fallback),
});

/** Text that is never printed. */
export const secret = (about: string, fallback?: string): Variable<string> => ({
  ...text(about, fallback),
  secret: true,
});

/** A variable that may be absent. */
export const optional = <T>(variable: Variable<T>): Variable<T | undefined> => ({
  ...variable,
  schema: variable.schema.optional(),
});

/** A whole number from `min` to `max`; `about` names its unit. */
export const whole = (about: string, min: number, max: number, fallback?: number): Variable<number> => ({
  about: `${about} (${min}–${max})`,
  schema: withDefault(
    z
      .string()
      .regex(/^-?\d+$/, "is not a whole number")
      .transform(Number)
      .pipe(z.number().min(min, `is less than ${min}`).max(max, `is more than ${max}`)),
    fallback?.toString(),
  ),
});

/** One of the given values. */
export const oneOf = <const T extends string>(about: string, values: readonly T[], fallback?: T): Variable<T> => ({
  about: `${about} (${values.join(", ")})`,
  schema: withDefault(
    z.string().pipe(z.enum(values, { error: `is none of ${values.join(", ")}` })) as z.ZodType<T, string>,
    fallback,
  ),
});

/** A list separated by commas; blanks around its items are dropped. */
export const list = (about: string, fallback?: string): Variable<readonly string[]> => ({
  about: `${about}, separated by commas`,
  schema: withDefault(
    z.string().transform((value) =>
      value
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
    ),
    fallback,
  ),
});

/** An absolute URL with one of the protocols (`http:` …). A password in it is masked when printed. */
export const url = (about: string, protocols: readonly string[], fallback?: string): Variable<string> => ({
  about,
  schema: withDefault(
    z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
      error: `is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    }),
    fallback,
  ),
});

/** Reads the variables from the environment. Throws Fatal with a line for each wrong variable. */
export const parse = <V extends Variables>(
  variables: V,
  environment: Readonly<Record<string, string | undefined>>,
): Settings<V> => {
  const problems: string[] = [];
  const values = Object.entries(variables).map(([name, { schema, secret: isSecret, about }]) => {
    const given = environment[name] === "" ? undefined : environment[name];
    const result = schema.safeParse(given);
    if (result.success) return [name, result.data];
    const problem = given === undefined ? "is not set" : (result.error.issues[0]?.message ?? "is not valid");
    problems.push(`${name} ${problem}${given === undefined || isSecret ? "" : ` (it is "${given}")`}: ${about}`);
    return [name, undefined];
  });
  if (problems.length > 0) throw new Fatal(`the configuration is wrong:\n${problems.map((p) => `  ${p}`).join("\n")}`);
  return Object.fromEntries(values) as Settings<V>;
};

const MASK = "•••";

/** Masks secrets, and passwords in URLs, so that the settings may be printed. */
export const masked = <V extends Variables>(variables: V, settings: Settings<V>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      variables[name]?.secret && value !== undefined ? MASK : maskedUrl(value),
    ]),
  );

const maskedUrl = (value: unknown): unknown => {
  if (typeof value !== "string" || !URL.canParse(value)) return value;
  const parsed = new URL(value);
  if (parsed.password === "") return value;
  parsed.password = "***";
  return parsed.href;
};
