import type { NewRecord } from "../domain/log-record.ts";
import { messageOf, Poison } from "../platform/contract/failure.ts";
import { checkId } from "../platform/contract/identity.ts";
import type { RoleSettings } from "../domain/records.ts";
import { DEFAULT_ROLE, defaultSettings, parseSettings, type SettingsFields } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { publish } from "../platform/engine/output/publish.ts";
import type { Desk, Refusal } from "./desk.ts";
import { revised, revisionOf } from "./revise.ts";
import { readWhole } from "./read.ts";

/** What holds for a role's users. */
export interface RoleView extends SettingsFields {
  readonly role: string;
  /** Whose settings they are: the role's own, those of the role `default`, or what holds where nobody said anything. */
  readonly from: "role" | "default" | "built in";
  /** Of the settings that hold; null where they are built in. */
  readonly version: number | null;
  readonly since: Millis | null;
}

/** A role's latest record. */
interface Latest {
  /** Its own time: of two records the later one holds. */
  readonly at: Millis;
  /** null: the role has none of its own any more. */
  readonly own: SettingsFields | null;
  /** Of the last settings it had. */
  readonly version: number;
}

type Roles = ReadonlyMap<string, Latest>;

/** Every role that has settings of its own, and `default`, in the order of their names. */
export const settingsList = async (desk: Desk): Promise<readonly RoleView[]> => {
  const roles = await readRoles(desk);
  const own = [...roles].flatMap(([role, { own: fields }]) => (fields === null ? [] : [role]));
  return [...new Set([DEFAULT_ROLE, ...own])].toSorted().map((role) => viewOf(roles, role));
};

/** What holds for a role, whether or not it has settings of its own. */
export const settingsGet = async (desk: Desk, role: string): Promise<RoleView> => viewOf(await readRoles(desk), role);

/** Changes what the assignments name; the rest stays as it holds for the role now, and is the role's own from then on. */
export const settingsSet = async (
  desk: Desk,
  role: string,
  assignments: readonly string[],
  now: Millis,
): Promise<RoleView | Refusal> => {
  const roles = await readRoles(desk);
  const { role: _role, from: _from, version: _version, since: _since, ...held } = viewOf(roles, role);
  try {
    const fields = revised(held, assignments);
    const record = revisionOf(
      checkId(role, "the role"),
      fields,
      (roles.get(role)?.version ?? 0) + 1,
      after(roles, role, now),
    );
    await put(desk, record, record.value?.occurredAt ?? now);
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

/** Takes a role's own settings away: those of `default` hold for it again. */
export const settingsReset = async (desk: Desk, role: string, now: Millis): Promise<RoleView | Refusal> => {
  const roles = await readRoles(desk);
  if ((roles.get(role)?.own ?? null) === null) return { refused: `the role ${role} has no settings of its own` };
  const at = after(roles, role, now);
  await put(desk, { topic: "settings", key: role, value: null }, at);
  return viewOf(new Map(roles).set(role, { at, own: null, version: 0 }), role);
};

/** The log's timestamp is the record's own time: on a machine whose clock is behind, a change would be taken for older than what it changes. */
const put = ({ log, codec }: Desk, record: NewRecord, timestamp: Millis): Promise<void> =>
  publish(log, codec, [{ ...record, timestamp }]);

const after = (roles: Roles, role: string, now: Millis): Millis => Math.max(now, (roles.get(role)?.at ?? -1) + 1);

const readRoles = async (desk: Desk): Promise<Roles> => {
  const roles = new Map<string, Latest>();
  for await (const { key, value, at } of readWhole(desk, "settings")) {
    const known = roles.get(key);
    const found = value === null ? null : fieldsOf(key, value);
    if (found === "unusable") continue;
    const version = Math.max(known?.version ?? 0, value?.version ?? 0);
    roles.set(key, known !== undefined && known.at > at ? { ...known, version } : { at, own: found, version });
  }
  return roles;
};

/** What services wouldn't take either. */
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
