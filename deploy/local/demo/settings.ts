import { DEFAULT_ROLE, parseSettings, type SettingsFields } from "../../../services/domain/role-settings.ts";
import { revisionOf } from "../../../services/ops/settings/revise.ts";
import type { CommandDeps } from "../../../services/ops/command-deps.ts";
import { settingsGet } from "../../../services/ops/settings/roles.ts";
import { publish } from "../../../services/platform/engine/output/publish.ts";

/** Seconds. Odd numbers, so that no timer falls on a tick of the script. */
const TIMEOUT = 11;
const SETTLE = 1;

/** Settings of the demo, by which people are told soon. @param timeout seconds of the setting `timeout`; undefined: the demo's own */
export const demoSettings = (timeout: string | undefined): SettingsFields =>
  parseSettings({ timeout: timeout === undefined ? TIMEOUT : Number(timeout), settle: SETTLE });

/** Publishes settings for the default role, as a new version. @param isKept settings of an earlier run stay */
export const putDemoSettings = async (deps: CommandDeps, settings: SettingsFields, isKept: boolean): Promise<void> => {
  const { from, version } = await settingsGet(deps, DEFAULT_ROLE);
  if (isKept && from !== "built in") return;
  await publish(deps.log, deps.codec, [revisionOf(DEFAULT_ROLE, settings, (version ?? 0) + 1, Date.now())]);
};
