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
import { revisionOf } from "../../services/ops/revise.ts";
import { at } from "./chat.ts";
import { logRecord } from "./spec.ts";

/** Nothing delays or holds a notification but what a test asks for. */
export const plain = { timeout: 0, settle: 0, cooldown: { first: 0, factor: 1, max: 0 } } as const;

/** The settings of a role, on the log from `since` on; what isn't given is plain. */
export const settingsSaid = (
  fields: Partial<SettingsFields> = {},
  since: Millis = at("00:00"),
  role = DEFAULT_ROLE,
): NewRecord => ({ ...revisionOf(role, parseSettings({ ...plain, ...fields }), 1, since), timestamp: since });

/** What a rule is given where the log says these settings, and no others. */
export const bookOf = (fields: Partial<SettingsFields> = {}, since: Millis = at("00:00")): SettingsBook =>
  settingsTable.apply(noSettings, logRecord(settingsSaid(fields, since)));
