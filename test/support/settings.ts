import type { NewRecord } from "../../services/domain/log-record.ts";
import {
  DEFAULT_ROLE,
  noSettings,
  parseSettings,
  type SettingsBook,
  type SettingsFields,
  settingsTable,
} from "../../services/domain/role-settings.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import { revisionOf } from "../../services/ops/settings/revise.ts";
import { at } from "./chat.ts";
import { logRecord } from "./spec.ts";

/** Settings that neither delay nor hold a notification. */
export const plain = { timeout: 0, settle: 0, cooldown: { first: 0, factor: 1, max: 0 } } as const;

/** A record of a role's settings that hold from `since` on. Absent fields are those of `plain`. */
export const settingsSaid = (
  fields: Partial<SettingsFields> = {},
  since: Millis = at("00:00"),
  role = DEFAULT_ROLE,
): NewRecord => ({ ...revisionOf(role, parseSettings({ ...plain, ...fields }), 1, since), timestamp: since });

/** The global table's value for a rule whose log has these settings alone. */
export const bookOf = (fields: Partial<SettingsFields> = {}, since: Millis = at("00:00")): SettingsBook =>
  settingsTable.apply(noSettings, logRecord(settingsSaid(fields, since)));
