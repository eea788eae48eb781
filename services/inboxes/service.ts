import { service } from "../platform/app/service.ts";
import { inboxes } from "./rule.ts";

/** Decides when to notify each user, and about which missed messages. */
export const inboxesService = service({
  name: "inboxes",
  variables: {},
  start: (root) => root.process(inboxes),
});
