import { service } from "../platform/app/service.ts";
import { inboxes } from "./rule.ts";

/** Decides who is told, about what, when. */
export const inboxesService = service({
  name: "inboxes",
  variables: {},
  start: (root) => root.process(inboxes),
});
