import { SECOND } from "../core/time.ts";
import { service } from "../runtime/service.ts";
import { inboxesVariables } from "./config.ts";
import { inboxes } from "./rule.ts";

export const inboxesService = service({
  name: "inboxes",
  variables: inboxesVariables,
  start: (root, settings) =>
    root.process(inboxes({ timeout: settings.NOTIFY_AFTER_SECONDS * SECOND }), () => undefined),
});
