import type { Stage } from "../platform/contract/processor.ts";

/** The stages of the flow, in its order (design/architecture.md): what waits in one isn't there for those behind it. */
export const flow = {
  conversationStrays: {
    processor: "conversations",
    home: "conversationStrays",
    from: ["messages", "participants", "conversations"],
    to: "conversationStrays",
    by: "examined",
  },
  inbox: {
    processor: "conversations",
    home: "conversationStrays",
    from: ["messages", "participants", "conversations", "conversationStrays"],
    to: "inbox",
    by: "folded",
  },
  inboxStrays: { processor: "inboxes", home: "inbox", from: ["users", "presence"], to: "inboxStrays", by: "examined" },
  notifications: {
    processor: "inboxes",
    home: "inbox",
    from: ["users", "presence", "inbox", "inboxStrays"],
    to: "notifications",
    by: "folded",
  },
} as const satisfies Record<string, Stage>;
