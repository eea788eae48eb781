import { service } from "../platform/app/service.ts";
import { conversations } from "./rule.ts";

/** Keeps the participants of conversations, and sends each message to the inboxes of its recipients. */
export const conversationsService = service({
  name: "conversations",
  variables: {},
  start: (root) => root.process(conversations),
});
