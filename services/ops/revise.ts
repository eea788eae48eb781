import type { NewRecord } from "../domain/log-record.ts";
import { Poison } from "../platform/contract/failure.ts";
import { parseSettings, type SettingsFields, settingsFields } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";

/** A role's settings as a record that replaces those it had. @param version counts the role's changes */
export const revisionOf = (
  role: string,
  fields: SettingsFields,
  version: number,
  occurredAt: Millis,
): Extract<NewRecord, { topic: "settings" }> => ({
  topic: "settings",
  key: role,
  value: { role, version, ...fields, occurredAt },
});

const NONE = "none";

/** What can be set, as it is written on the command line. */
const known: Readonly<Record<string, string>> = {
  timeout: "seconds",
  settle: "seconds",
  "cooldown.first": "seconds",
  "cooldown.factor": "a number",
  "cooldown.max": "seconds",
  whileOnline: settingsFields.shape.whileOnline.unwrap().options.join("|"),
  group: settingsFields.shape.group.unwrap().options.join("|"),
  quietHours: `HH:MM-HH:MM[@ZONE]|${NONE}`,
  dailyCap: `a whole number|${NONE}`,
  emailEnabled: "true|false",
};

/** `timeout=seconds, settle=seconds …`: for a person who needs to know. */
export const knownAssignments: string = Object.entries(known)
  .map(([name, form]) => `${name}=${form}`)
  .join(", ");

/** Settings with the fields changed that `name=value` assignments name. Throws Poison with every mistake in them. */
export const revised = (settings: SettingsFields, assignments: readonly string[]): SettingsFields => {
  const unknown = assignments.filter(
    (assignment) => !Object.hasOwn(known, nameOf(assignment)) || !assignment.includes("="),
  );
  if (unknown.length > 0)
    throw new Poison(
      `${unknown.map((text) => `"${text}"`).join(", ")} sets nothing: what can be set is ${knownAssignments}`,
    );
  const { cooldown, ...fields } = settings;
  const all: Record<string, unknown> = { ...fields };
  const cooling: Record<string, unknown> = { ...cooldown };
  for (const assignment of assignments) {
    const name = nameOf(assignment);
    const value = valueOf(name, assignment.slice(name.length + 1));
    if (name.startsWith("cooldown.")) cooling[name.slice("cooldown.".length)] = value;
    else all[name] = value;
  }
  return parseSettings({ ...all, cooldown: cooling });
};

const nameOf = (assignment: string): string => assignment.split("=", 1)[0] ?? "";

/** What is written, in the settings' own types where it can be read as such; what can't, parseSettings refuses by name. */
const valueOf = (name: string, text: string): unknown => {
  switch (name) {
    case "whileOnline":
    case "group":
      return text;
    case "quietHours":
      return text === NONE ? null : hoursOf(text);
    case "emailEnabled":
      return text === "true" ? true : text === "false" ? false : text;
    case "dailyCap":
      return text === NONE ? null : numberOf(text);
    default:
      return numberOf(text);
  }
};

/** Not Number alone: that takes "" for 0. */
const numberOf = (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

const hoursOf = (text: string): unknown => {
  const match = /^([^-@]*)-([^-@]*)(?:@(.+))?$/.exec(text);
  return match === null ? text : { from: match[1], to: match[2], timezone: match[3] ?? null };
};
