import { service } from "../platform/app/service.ts";
import { conversations } from "./rule.ts";

/** Keeps who takes part in what, and sends each message to the inboxes of its recipients. */
export const conversationsService = service({
  name: "conversations",
  variables: {},
  start: (root) => root.process(conversations),
});
