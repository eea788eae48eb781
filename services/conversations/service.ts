import { service } from "../platform/app/service.ts";
import { conversations } from "./rule.ts";

export const conversationsService = service({
  name: "conversations",
  variables: {},
  start: (root) => root.process(conversations, () => undefined),
});
