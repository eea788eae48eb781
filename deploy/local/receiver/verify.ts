import { Webhook } from "standardwebhooks";

/** A secret (`whsec_…`), or several while one takes another's place. */
export type Secrets = string | readonly string[];

/** Checks a request as Standard Webhooks 1.0 says; returns the error; undefined: it is genuine. */
export function problemOf(
  secrets: Secrets,
  body: string,
  headers: Readonly<Record<string, string>>,
): string | undefined {
  let problem = "no secret to check it with";
  for (const secret of [secrets].flat()) {
    try {
      new Webhook(secret).verify(body, { ...headers }, { jsonParse: false });
      return undefined;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return problem;
}

/** The payload's `type`, and the user it is about, wherever its sender put them. */
export function factsOf(body: string): { readonly type: string; readonly user: string } {
  const payload = parsed(body);
  const data = field(payload, "data");
  const people = [data, field(data, "recipient"), field(field(data, "snapshot"), "recipient"), payload];
  const users = people.map((each) => field(each, "userId"));
  return { type: text(field(payload, "type")), user: text(users.find((user) => typeof user === "string")) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Characters of a name that are shown and counted by. */
const NAME_CHARS = 200;

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, NAME_CHARS) : "";
}
