import { noSettings } from "../domain/role-settings.ts";
import { service } from "../platform/app/service.ts";
import { inboxes } from "./rule.ts";

export const inboxesService = service({
  name: "inboxes",
  variables: {},
  start: (root) => root.process(inboxes, () => noSettings), // the log says them: the rule's lore
});
