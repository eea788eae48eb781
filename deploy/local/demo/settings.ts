import { DEFAULT_ROLE, parseSettings, type SettingsFields } from "../../../services/domain/role-settings.ts";
import { revisionOf } from "../../../services/ops/revise.ts";
import type { Desk } from "../../../services/ops/desk.ts";
import { settingsGet } from "../../../services/ops/roles.ts";
import { publish } from "../../../services/platform/engine/output/publish.ts";

/** Seconds; odd numbers, so that nothing falls due on a tick of the script. */
const TIMEOUT = 11;
const SETTLE = 1;

/** How the demo's people are told: soon. @param timeout in seconds, if it is to be another */
export const demoSettings = (timeout: string | undefined): SettingsFields =>
  parseSettings({ timeout: timeout === undefined ? TIMEOUT : Number(timeout), settle: SETTLE });

/**
 * Says them for everybody, if need be as a new version. @param isKept what somebody said in an earlier run stays
 */
export const putDemoSettings = async (desk: Desk, settings: SettingsFields, isKept: boolean): Promise<void> => {
  const { from, version } = await settingsGet(desk, DEFAULT_ROLE);
  if (isKept && from !== "built in") return;
  await publish(desk.log, desk.codec, [revisionOf(DEFAULT_ROLE, settings, (version ?? 0) + 1, Date.now())]);
};
