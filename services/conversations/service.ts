import { service } from "../runtime/service.ts";
import { conversations } from "./rule.ts";

export const conversationsService = service({
  name: "conversations",
  variables: {},
  start: (root) => root.process(conversations, () => undefined),
});
