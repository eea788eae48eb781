import type { NewRecord } from "../../domain/log-record.ts";
import { Poison } from "../../platform/contract/failure.ts";
import {
  defaultSettings,
  isSettingName,
  parseSettings,
  settingNames,
  settingOf,
  type SettingName,
  type SettingsFields,
  withSetting,
  writtenSetting,
} from "../../domain/role-settings.ts";
import type { Millis } from "../../platform/contract/time.ts";

/** Makes the record that replaces a role's settings. @param version counts the role's changes */
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

const assignmentForm = (name: SettingName): string => `${name}=${settingOf(name).kind.form}`;

/** Every assignment in short, for messages: `timeout=seconds, settle=seconds, …`. */
export const knownAssignments: string = settingNames.map(assignmentForm).join(", ");

const limitsOf = (name: SettingName): string => {
  const { kind, unit } = settingOf(name);
  const range = kind.range === null ? [] : [unit === null ? kind.range : `${kind.range} ${unit}`];
  return [...range, `default ${writtenSetting(defaultSettings, name)}`].join("; ");
};

/** Every assignment with its range, its default and its meaning, for `--help`. */
export const assignmentHelp: string = [
  "Settings of a role:",
  ...settingNames.flatMap((name) => [
    `  ${assignmentForm(name)}  (${limitsOf(name)})`,
    `      ${settingOf(name).help}`,
  ]),
].join("\n");

/** Changes the settings that `name=value` assignments name. Throws Poison with every mistake in them. */
export const revised = (settings: SettingsFields, assignments: readonly string[]): SettingsFields => {
  const parsed = assignments.map(parseAssignment);
  const unknown = assignments.filter((_assignment, index) => parsed[index] === null);
  if (unknown.length > 0)
    throw new Poison(
      `${unknown.map((text) => `"${text}"`).join(", ")} sets nothing: what can be set is ${knownAssignments}`,
    );
  let fields: Readonly<Record<string, unknown>> = { ...settings };
  for (const assignment of parsed)
    if (assignment !== null) fields = withSetting(fields, assignment.name, assignment.text);
  return parseSettings(fields);
};

/** Splits `name=value`; null: it names no setting, or has no value. */
const parseAssignment = (assignment: string): { readonly name: SettingName; readonly text: string } | null => {
  const end = assignment.indexOf("=");
  const name = assignment.slice(0, end);
  return end === -1 || !isSettingName(name) ? null : { name, text: assignment.slice(end + 1) };
};
