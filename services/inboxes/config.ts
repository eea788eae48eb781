import { whole } from "../runtime/config.ts";

export const inboxesVariables = {
  NOTIFY_AFTER_SECONDS: whole(
    "seconds that someone must be away, and a message missed, before they are told",
    0,
    900,
    300,
  ),
} as const;
