import { conversation, type Line, message, participant, presence, settings, user } from "./history.ts";

/** Wednesday, 10 June 2026, 09:00 UTC. */
const start = 1_781_082_000_000;
/** So many seconds later. */
const at = (seconds: number): number => start + seconds * 1_000;
const both = [participant(at(0), "JOINED", "c", "ada"), participant(at(0), "JOINED", "c", "bob")];
const sent = (seconds: number, id: string, more: Parameters<typeof message>[4] = {}): Line =>
  message(at(seconds), "SENT", "c", id, { senderId: "bob", ...more });
const own = (seconds: number) => ({ occurredAt: at(seconds) });

/** Histories over which rule and judge once fell out, made small, in words. */
export const found: readonly (readonly [string, readonly Line[]])[] = [
  [
    "settings change at the very time of a message elsewhere",
    [
      ...both,
      participant(at(0), "JOINED", "d", "ada"),
      message(at(0), "SENT", "d", "m0", { senderId: "bob" }),
      settings(at(46), "default", { timeout: 0 }),
      sent(46, "m1"),
    ],
  ],
  [
    "a session lapses at the very time of another's sign",
    [
      ...both,
      sent(0, "m0"),
      presence(at(0), "HEARTBEAT", "ada", { sessionId: "tab", conversationId: "c" }),
      presence(at(45), "HEARTBEAT", "ada", { sessionId: "phone" }),
      sent(45, "m1"),
    ],
  ],
  [
    "a session ends, begins and ends at one time",
    [
      ...both,
      presence(at(45), "OFFLINE", "ada"),
      presence(at(45), "ONLINE", "ada", { conversationId: "c" }),
      sent(45, "m0"),
      presence(at(45), "OFFLINE", "ada"),
      presence(at(55), "HEARTBEAT", "ada", { conversationId: "c" }),
    ],
  ],
  [
    "a sign comes after the end of its session",
    [...both, presence(at(1), "OFFLINE", "ada"), sent(1, "m0"), presence(at(40), "HEARTBEAT", "ada", own(0))],
  ],
  [
    "who has left is said to have joined, late",
    [
      participant(at(0), "JOINED", "c", "bob"),
      sent(30, "m0", { mentions: ["ada"] }),
      participant(at(30), "LEFT", "c", "ada"),
      participant(at(40), "JOINED", "c", "ada"),
      sent(40, "m1"),
      participant(at(300), "JOINED", "c", "ada", own(0)),
    ],
  ],
  [
    "a deleted conversation was back before it was talked in, it turns out",
    [...both, conversation(at(0), "c", null), sent(1, "m0"), conversation(at(2), "c", own(0))],
  ],
  [
    "a deleted user was back before it was written to, it turns out",
    [...both, user(at(0), "ada", null), sent(1, "m0"), user(at(2), "ada", own(0))],
  ],
  [
    "what was seen as it was sent was missed when it was edited, it turns out",
    [
      ...both,
      sent(0, "m0"),
      message(at(10), "EDITED", "c", "m0", { senderId: "bob", mentions: ["ada"] }),
      presence(at(60), "ONLINE", "ada", { conversationId: "c", ...own(0) }),
      presence(at(70), "HEARTBEAT", "ada", { conversationId: "c", ...own(10) }),
    ],
  ],
  [
    "an edit comes late that mentions as a later one does",
    [
      ...both,
      sent(0, "m0"),
      message(at(4), "EDITED", "c", "m0", { senderId: "bob", mentions: ["ada"] }),
      message(at(46), "EDITED", "c", "m0", { senderId: "bob", mentions: ["ada"], ...own(1) }),
    ],
  ],
];
