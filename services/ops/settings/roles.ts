import type { NewRecord } from "../../domain/log-record.ts";
import { messageOf, Poison } from "../../platform/contract/failure.ts";
import { checkId } from "../../platform/contract/identity.ts";
import type { RoleSettings } from "../../domain/records.ts";
import { DEFAULT_ROLE, defaultSettings, parseSettings, type SettingsFields } from "../../domain/role-settings.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { publish } from "../../platform/engine/output/publish.ts";
import type { CommandDeps, Refusal } from "../command-deps.ts";
import { revised, revisionOf } from "./revise.ts";
import { readWhole } from "../read.ts";

/** Settings that hold for a role's users. */
export interface RoleView extends SettingsFields {
  readonly role: string;
  /** Origin of the settings: the role, the role `default`, or the table's defaults. */
  readonly from: "role" | "default" | "built in";
  /** Version of the settings; null: they are built in. */
  readonly version: number | null;
  readonly since: Millis | null;
}

/** A role's latest record. */
interface Latest {
  /** The record's own time. Of two records the later one holds. */
  readonly at: Millis;
  /** Settings of the role; null: they were reset. */
  readonly own: SettingsFields | null;
  /** Version of the role's last settings. */
  readonly version: number;
}

type Roles = ReadonlyMap<string, Latest>;

/** Lists the roles with settings, and `default`, by name. */
export const settingsList = async (deps: CommandDeps): Promise<readonly RoleView[]> => {
  const roles = await readRoles(deps);
  const own = [...roles].flatMap(([role, { own: fields }]) => (fields === null ? [] : [role]));
  return [...new Set([DEFAULT_ROLE, ...own])].toSorted().map((role) => viewOf(roles, role));
};

/** Reads the settings that hold for a role. */
export const settingsGet = async (deps: CommandDeps, role: string): Promise<RoleView> =>
  viewOf(await readRoles(deps), role);

/** Changes the settings that assignments name. The others stay as they hold for the role now, and become the role's. */
export const settingsSet = async (
  deps: CommandDeps,
  role: string,
  assignments: readonly string[],
  now: Millis,
): Promise<RoleView | Refusal> => {
  const roles = await readRoles(deps);
  const { role: _role, from: _from, version: _version, since: _since, ...held } = viewOf(roles, role);
  try {
    const fields = revised(held, assignments);
    const record = revisionOf(
      checkId(role, "the role"),
      fields,
      (roles.get(role)?.version ?? 0) + 1,
      after(roles, role, now),
    );
    await put(deps, record, record.value?.occurredAt ?? now);
    return {
      ...fields,
      role,
      from: "role",
      version: record.value?.version ?? 0,
      since: record.value?.occurredAt ?? now,
    };
  } catch (error) {
    if (error instanceof Poison) return { refused: messageOf(error) };
    throw error;
  }
};

/** Removes a role's settings, so that those of `default` hold for it again. */
export const settingsReset = async (deps: CommandDeps, role: string, now: Millis): Promise<RoleView | Refusal> => {
  const roles = await readRoles(deps);
  if ((roles.get(role)?.own ?? null) === null) return { refused: `the role ${role} has no settings of its own` };
  const at = after(roles, role, now);
  await put(deps, { topic: "settings", key: role, value: null }, at);
  return viewOf(new Map(roles).set(role, { at, own: null, version: 0 }), role);
};

/** Publishes a record with its own time as the timestamp. On a machine with a slow clock a change would count as older than the settings it replaces. */
const put = ({ log, codec }: CommandDeps, record: NewRecord, timestamp: Millis): Promise<void> =>
  publish(log, codec, [{ ...record, timestamp }]);

const after = (roles: Roles, role: string, now: Millis): Millis => Math.max(now, (roles.get(role)?.at ?? -1) + 1);

const readRoles = async (deps: CommandDeps): Promise<Roles> => {
  const roles = new Map<string, Latest>();
  for await (const { key, value, at } of readWhole(deps, "settings")) {
    const known = roles.get(key);
    const found = value === null ? null : fieldsOf(key, value);
    if (found === "unusable") continue;
    const version = Math.max(known?.version ?? 0, value?.version ?? 0);
    roles.set(key, known !== undefined && known.at > at ? { ...known, version } : { at, own: found, version });
  }
  return roles;
};

/** Parses the settings of a record. Records that services refuse are unusable. */
const fieldsOf = (
  key: string,
  { role, version: _version, occurredAt: _at, ...fields }: RoleSettings,
): SettingsFields | "unusable" => {
  try {
    return role === key ? parseSettings(fields) : "unusable";
  } catch (error) {
    if (error instanceof Poison) return "unusable";
    throw error;
  }
};

const viewOf = (roles: Roles, role: string): RoleView => {
  for (const from of ["role", "default"] as const) {
    const { own, at, version } = roles.get(from === "role" ? role : DEFAULT_ROLE) ?? { own: null, at: 0, version: 0 };
    if (own !== null) return { ...own, role, from, version, since: at };
  }
  return { ...defaultSettings, role, from: "built in", version: null, since: null };
};
