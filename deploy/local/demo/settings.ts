import { DEFAULT_ROLE, parseSettings, type SettingsFields } from "../../../services/domain/role-settings.ts";
import { revisionOf } from "../../../services/ops/settings/revise.ts";
import type { Desk } from "../../../services/ops/desk.ts";
import { settingsGet } from "../../../services/ops/settings/roles.ts";
import { publish } from "../../../services/platform/engine/output/publish.ts";

/** Seconds. Odd numbers, so that no timer falls on a tick of the script. */
const TIMEOUT = 11;
const SETTLE = 1;

/** Settings of the demo, by which people are told soon. @param timeout in seconds, in place of the demo's own */
export const demoSettings = (timeout: string | undefined): SettingsFields =>
  parseSettings({ timeout: timeout === undefined ? TIMEOUT : Number(timeout), settle: SETTLE });

/** Publishes settings for the default role, as a new version. @param isKept settings of an earlier run stay */
export const putDemoSettings = async (desk: Desk, settings: SettingsFields, isKept: boolean): Promise<void> => {
  const { from, version } = await settingsGet(desk, DEFAULT_ROLE);
  if (isKept && from !== "built in") return;
  await publish(desk.log, desk.codec, [revisionOf(DEFAULT_ROLE, settings, (version ?? 0) + 1, Date.now())]);
};
