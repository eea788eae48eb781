import type { Stage } from "../platform/contract/processor.ts";

/**
 * The stages in flow order (services/architecture.md). A record still queued in one stage has not reached those after
 * it.
 */
export const flow = {
  conversationStrays: {
    processor: "conversations",
    home: "conversationStrays",
    from: ["messages", "participants", "conversations"],
    to: "conversationStrays",
    by: "read",
  },
  inbox: {
    processor: "conversations",
    home: "conversationStrays",
    from: ["messages", "participants", "conversations", "conversationStrays"],
    to: "inbox",
    by: "folded",
  },
  inboxStrays: { processor: "inboxes", home: "inbox", from: ["users", "presence"], to: "inboxStrays", by: "read" },
  notifications: {
    processor: "inboxes",
    home: "inbox",
    from: ["users", "presence", "inbox", "inboxStrays"],
    to: "notifications",
    by: "folded",
  },
} as const satisfies Record<string, Stage>;
