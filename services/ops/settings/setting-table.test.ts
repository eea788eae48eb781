import { describe, expect, test } from "vitest";
import {
  defaultSettings,
  isSettingField,
  isSettingName,
  parseSettings,
  settingFieldList,
  type SettingName,
  settingNames,
  settingOf,
  type SettingsFields,
  writtenSetting,
} from "../../domain/role-settings.ts";
import { topics } from "../../domain/topics.ts";
import { avroType, problemsOf, withDefaults } from "../../platform/adapters/registry/avro.ts";
import { schemaOf } from "../../platform/adapters/registry/codec.ts";
import { assignmentHelp, knownAssignments, revised } from "./revise.ts";
import { settingsCommand } from "./settings.ts";
import { whatifCommand } from "../whatif/whatif.ts";

interface AvroField {
  readonly name: string;
  readonly type: { readonly symbols?: readonly string[]; readonly fields?: readonly AvroField[] } | string | unknown[];
}

/** Fields of a settings record that are no settings. */
const RECORD_FIELDS = ["role", "version", "occurredAt"];
const schema = schemaOf(topics.settings);
const avroFields = (JSON.parse(schema) as { readonly fields: readonly AvroField[] }).fields.filter(
  ({ name }) => !RECORD_FIELDS.includes(name),
);
const partsOf = ({ type }: AvroField): { symbols?: readonly string[]; fields?: readonly AvroField[] } =>
  typeof type === "string" || Array.isArray(type) ? {} : type;

test("the table and role-settings.avsc have the same fields", () => {
  const names = avroFields.flatMap((field) => {
    const { fields } = partsOf(field);
    return fields === undefined ? [field.name] : fields.map(({ name }) => `${field.name}.${name}`);
  });
  expect(settingNames.toSorted()).toEqual(names.toSorted());
});

test("the table and role-settings.avsc have the same defaults", () => {
  const type = avroType(schema);
  const record = { role: "vip", version: 1, occurredAt: 0 };
  expect(withDefaults(type, record)).toEqual({ ...record, ...defaultSettings });
  expect(problemsOf(type, { ...record, ...defaultSettings })).toEqual([]);
});

test("the table and role-settings.avsc have the same words for a setting", () => {
  const enums = avroFields.flatMap((field) => {
    const { symbols } = partsOf(field);
    return symbols === undefined ? [] : [[field.name, symbols.join("|")] as const];
  });
  expect(enums).not.toEqual([]);
  for (const [name, words] of enums) expect(isSettingName(name) ? settingOf(name).kind.form : null).toBe(words);
});

const boundsOf = (name: SettingName): readonly string[] =>
  /^from (\d+) to (\d+)$/.exec(settingOf(name).kind.range ?? "")?.slice(1) ?? [];

/** A value other than the default, from the setting's own range or form: a new row needs no change here. */
const otherValue = (name: SettingName): string => {
  const { form } = settingOf(name).kind;
  const bounds = boundsOf(name);
  const words = form.startsWith("HH:MM") ? ["22:00-07:00@Europe/Berlin"] : form.split("|");
  const written = writtenSetting(defaultSettings, name);
  return (bounds.length > 0 ? bounds : words).find((text) => text !== written) ?? expect.unreachable();
};

const helpOf = (name: string): string => {
  let help = "";
  settingsCommand(async () => expect.unreachable(), expect.unreachable)
    .commands.find((command) => command.name() === name)
    ?.configureOutput({ writeOut: (text) => void (help += text) })
    .outputHelp();
  return help;
};

describe.each(settingNames)("the setting %s", (name) => {
  const { kind, help } = settingOf(name);

  test("stands in the help with its form, its range, its default and its meaning", () => {
    const said = helpOf("set");
    expect(said).toContain(`  ${name}=${kind.form}  (${kind.range ?? ""}`);
    expect(said).toContain(`default ${writtenSetting(defaultSettings, name)})\n      ${help}\n`);
    expect(assignmentHelp).toContain(help);
    expect(knownAssignments).toContain(`${name}=${kind.form}`);
  });

  test("stands in the help of whatif", () => {
    const [field = name, inner = field] = name.split(".");
    expect(isSettingField(field)).toBe(true);
    expect(settingFieldList.match(/\w+/g)).toContain(inner);
    let said = "";
    whatifCommand()
      .configureOutput({ writeOut: (text) => void (said += text) })
      .outputHelp();
    expect(said).toContain(`\n${settingFieldList}.\n`);
  });

  test("is set in the form in which it is listed, and alone", () => {
    const changed = revised(defaultSettings, [`${name}=${otherValue(name)}`]);
    expect(writtenSetting(changed, name)).toBe(otherValue(name));
    expect(revised(changed, [`${name}=${writtenSetting(defaultSettings, name)}`])).toEqual(defaultSettings);
    for (const other of settingNames.filter((one) => one !== name))
      expect(writtenSetting(changed, other)).toBe(writtenSetting(defaultSettings, other));
  });

  test("is refused by its name with what is right", () => {
    const set = (text: string) => () => revised(defaultSettings, [`${name}=${text}`]);
    expect(set("nonsense")).toThrow(`${name}: ${kind.requirement}`);
    const bounds = boundsOf(name);
    for (const bound of bounds)
      expect(writtenSetting(revised(defaultSettings, [`${name}=${bound}`]), name)).toBe(bound);
    const [least, most] = bounds.map(Number);
    if (least === undefined || most === undefined) return;
    expect(kind.requirement).toContain(`from ${least} to ${most}`);
    for (const outside of [least - 1, most + 1]) expect(set(String(outside))).toThrow(`${name}: ${kind.requirement}`);
  });
});

test.each<readonly [given: unknown, why: string]>([
  [null, "must be an object of settings"],
  [{ cooldown: 5 }, "cooldown: must be an object of first, factor, max"],
  [{ quietHours: { from: "22:00" } }, "quietHours.to: must be HH:MM, from 00:00 to 23:59"],
  [{ quietHours: { from: "22:00", to: "07:00", zone: "UTC" } }, "quietHours.zone: is not a setting"],
  [{ constructor: 5 }, "constructor: is not a setting"],
])("the settings %j are refused with what is right", (given, why) => {
  expect(() => parseSettings(given)).toThrow(why);
});

test("settings that are left out have their default, within another setting too", () => {
  const expected: SettingsFields = { ...defaultSettings, cooldown: { ...defaultSettings.cooldown, first: 60 } };
  expect(parseSettings({ cooldown: { first: 60 } })).toEqual(expected);
});
