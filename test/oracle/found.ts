import { conversation, type Line, message, participant, presence, settings, user } from "./history.ts";

/** Wednesday, 10 June 2026, 09:00 UTC. */
const start = 1_781_082_000_000;
/** In seconds. */
const day = 86_400;
/** The start and so many seconds. */
const at = (seconds: number): number => start + seconds * 1_000;
const both = [participant(at(0), "JOINED", "c", "ada"), participant(at(0), "JOINED", "c", "bob")];
const sent = (seconds: number, id: string, more: Parameters<typeof message>[4] = {}): Line =>
  message(at(seconds), "SENT", "c", id, { senderId: "bob", ...more });
const edited = (
  seconds: number,
  id: string,
  mentions: readonly string[],
  more: Parameters<typeof message>[4] = {},
): Line => message(at(seconds), "EDITED", "c", id, { senderId: "bob", mentions, ...more });
const own = (seconds: number) => ({ occurredAt: at(seconds) });
/** Ada is told only of messages that mention her. */
const picky = participant(at(0), "JOINED", "c", "ada", { notify: "MENTIONS_ONLY" });
const mention = { mentions: ["ada"] };

/** Signs of life: Ada has the conversation on screen for five minutes. */
const signs = Array.from({ length: 21 }, (_none, index) =>
  presence(at(15 * index), "HEARTBEAT", "ada", { conversationId: "c" }),
);

/** Histories on which the rule and the judge once differed, made small, each with its description. */
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
    "a late record says that somebody who has left had joined",
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
    "a late record says that a deleted conversation was back before a message in it",
    [...both, conversation(at(0), "c", null), sent(1, "m0"), conversation(at(2), "c", own(0))],
  ],
  [
    "a late record says that a deleted user was back before a message to them",
    [...both, user(at(0), "ada", null), sent(1, "m0"), user(at(2), "ada", own(0))],
  ],
  [
    "late records say that a message was seen when it was sent, and missed when it was edited",
    [
      ...both,
      sent(0, "m0"),
      edited(10, "m0", ["ada"]),
      presence(at(60), "ONLINE", "ada", { conversationId: "c", ...own(0) }),
      presence(at(70), "HEARTBEAT", "ada", { conversationId: "c", ...own(10) }),
    ],
  ],
  [
    "a late edit mentions the same person as a later edit",
    [...both, sent(0, "m0"), edited(4, "m0", ["ada"]), edited(46, "m0", ["ada"], own(1))],
  ],
  [
    "a message in a deleted conversation is not for somebody who has muted the conversation",
    [
      ...both,
      participant(at(0), "JOINED", "c", "eve", { notify: "NONE" }),
      sent(0, "m0"),
      conversation(at(301), "c", null),
      sent(302, "m1"),
    ],
  ],
  [
    "an edit takes back a mention that an earlier edit had made",
    [picky, sent(0, "m0"), edited(10, "m0", ["ada"]), edited(20, "m0", []), sent(30, "m1", mention)],
  ],
  [
    "an edit newly mentions somebody who has muted the conversation since the message",
    [
      picky,
      sent(0, "m0"),
      sent(0, "m1", mention),
      participant(at(400), "UPDATED", "c", "ada", { notify: "NONE" }),
      edited(410, "m0", ["ada"]),
    ],
  ],
  [
    "an edit newly mentions somebody who joined without access after the message",
    [
      participant(at(0), "JOINED", "c", "eve"),
      sent(0, "m0"),
      participant(at(10), "JOINED", "c", "ada", { access: "NONE" }),
      edited(20, "m0", ["ada"]),
    ],
  ],
  [
    "an edit of a missed message mentions somebody who has the conversation on screen now",
    [...both, sent(0, "m0"), presence(at(10), "ONLINE", "ada", { conversationId: "c" }), edited(20, "m0", ["ada"])],
  ],
  [
    "a late record says that somebody had left when a message was sent to them",
    [...both, sent(0, "m0"), sent(10, "m1"), participant(at(60), "LEFT", "c", "ada", own(10)), sent(10, "m2")].toSorted(
      (one, other) => one.at - other.at,
    ),
  ],
  [
    "a late message has two late edits, one of them of the very time of its sending",
    [
      picky,
      sent(60, "m0", own(10)),
      edited(60, "m0", ["ada"], own(10)),
      edited(60, "m0", [], own(20)),
      sent(70, "m1", mention),
    ],
  ],
  [
    "a late record says that somebody took part, and had muted the conversation",
    [
      participant(at(0), "JOINED", "c", "eve"),
      sent(10, "m0"),
      participant(at(60), "JOINED", "c", "ada", { notify: "NONE", ...own(0) }),
    ],
  ],
  [
    "somebody is away for so long that a conversation was silent for forty days",
    [...both, sent(0, "m0"), sent(40 * day, "m1"), sent(40 * day + 400, "m2")],
  ],
  [
    "a mention that was held for hours is taken back, and a late record says that all messages counted then",
    [
      settings(at(0), "default", { dailyCap: 1 }),
      picky,
      sent(0, "m0", mention),
      sent(1_000, "m1", mention),
      edited(10_000, "m1", []),
      participant(at(10_060), "UPDATED", "c", "ada", own(10_000)),
    ],
  ],
  [
    "a mention that was made at the very time of the sending is taken back",
    [picky, sent(10, "m0"), edited(10, "m0", ["ada"]), edited(20, "m0", []), sent(70, "m1", mention)],
  ],
  [
    "a late edit of the very time of the sending mentions somebody who has read the message since",
    [
      ...both,
      presence(at(0), "HEARTBEAT", "ada", { sessionId: "tab", conversationId: "c" }),
      sent(0, "m0"),
      message(at(20), "SENT", "c", "m1", { senderId: "ada" }),
      edited(300, "m0", ["ada"], own(0)),
    ],
  ],
  [
    "two late records at once say that somebody had come back, and then muted the conversation",
    [
      ...both,
      participant(at(1), "LEFT", "c", "ada", own(0)),
      sent(300, "m0", mention),
      edited(300, "m0", []),
      edited(390, "m0", ["ada"]),
      participant(at(600), "JOINED", "c", "ada", own(0)),
      participant(at(600), "JOINED", "c", "ada", { notify: "NONE", ...own(300) }),
    ],
  ],
  [
    "an edit says that it was made before its message",
    [picky, participant(at(0), "JOINED", "c", "bob"), sent(10, "m1"), edited(12, "m1", ["ada"], own(5))],
  ],
  [
    "an edit that comes before its message says that it was made before it",
    [...both, edited(5, "m1", ["ada"]), sent(10, "m1", mention)],
  ],
  [
    "a late message, which was on screen, comes after many signs of life",
    [...both, ...signs, sent(310, "m1", own(30))],
  ],
  [
    "late signs of life say that a session looked away and back, among many others",
    [
      ...both,
      ...signs,
      presence(at(305), "HEARTBEAT", "ada", own(32)),
      presence(at(306), "HEARTBEAT", "ada", { conversationId: "c", ...own(36) }),
      sent(310, "m1", own(34)),
      sent(311, "m2", own(38)),
    ],
  ],
];
