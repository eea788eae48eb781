import { describe, test } from "vitest";
import { at, message, participant } from "../../test/support/chat.ts";
import { of } from "../../test/support/spec.ts";
import {
  candidate,
  closed,
  joined,
  left,
  mentions,
  own,
  sent,
  edited,
  deleted,
  updated,
  withdrawn,
} from "../../test/support/talk.ts";
import { conversations } from "./rule.ts";

const chat = of(conversations, undefined);
const both = [joined("ada"), joined("bob")];
const picky = [joined("bob"), joined("ada", { notify: "MENTIONS_ONLY" })];

describe("messages", () => {
  test("a message may be missed by every participant but its sender, who gets an OWN entry", () => {
    chat
      .after(...both, joined("eve"))
      .on(sent("m1"))
      .causes(candidate("m1", "ada", "eve"), own("m1", "bob"));
  });

  test("a message from a user who is no participant may be missed by all participants", () => {
    chat.after(joined("ada")).on(sent("m1")).causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("a message without a sender has no OWN entry", () => {
    chat
      .after(...both)
      .on(sent("m1", { senderId: null }))
      .causes(candidate("m1", "ada", "bob"));
  });

  test("a message is no candidate for users who left, have no access, or muted the conversation", () => {
    const others = [joined("eve", { access: "NONE" }), joined("dan", { notify: "NONE" })];
    chat
      .after(...both, ...others, left("ada", "12:00:30"))
      .on(sent("m1"))
      .causes(own("m1", "bob"));
  });

  test("a message may be missed by a participant with READ access", () => {
    chat
      .after(joined("ada", { access: "READ" }))
      .on(sent("m1"))
      .causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("a message may be missed by a participant who left and came back", () => {
    chat
      .after(...both, left("ada", "12:00:10"), participant("c", "ada", "12:00:20"))
      .on(sent("m1"))
      .causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("a participant of MENTIONS_ONLY may miss a message only if it mentions them", () => {
    chat
      .after(...picky)
      .on(sent("m1"))
      .causes(own("m1", "bob"));
    chat
      .after(...picky)
      .on(sent("m1", { mentions: ["ada", "bob", "stranger"] }))
      .causes({ ...candidate("m1", "ada"), mentioned: ["ada"] }, own("m1", "bob"));
  });

  test("a CANDIDATE entry lists the recipients whom the message mentions", () => {
    chat
      .after(...both, joined("eve"))
      .on(sent("m1", { mentions: ["eve"] }))
      .causes({ ...candidate("m1", "ada", "eve"), mentioned: ["eve"] }, own("m1", "bob"));
  });

  test("a mention makes no candidate for a user who muted the conversation or has no access", () => {
    chat
      .after(joined("ada", { notify: "NONE" }), joined("eve", { access: "NONE", notify: "MENTIONS_ONLY" }))
      .on(sent("m1", { mentions: ["ada", "eve"] }))
      .causes(own("m1", "bob"));
  });

  test("a system message or an imported message is missed by nobody", () => {
    chat
      .after(...both)
      .on(sent("m1", { kind: "SYSTEM" }))
      .causes(own("m1", "bob"));
    chat
      .after(...both)
      .on(sent("m1", { origin: "IMPORT" }))
      .causes(own("m1", "bob"));
    chat
      .after(...picky)
      .on(sent("m1", { origin: "IMPORT", mentions: ["ada"] }))
      .causes(own("m1", "bob"));
  });

  test("a repeated SENT changes nothing, even after the message was deleted", () => {
    chat
      .after(...both, sent("m1"))
      .on(sent("m1", { text: "again" }))
      .causes();
    chat
      .after(...both, sent("m1"), deleted("m1"))
      .on(sent("m1"))
      .causes();
  });

  test("messages of the same id in two conversations are kept apart", () => {
    chat
      .after(...both, participant("d", "ada", "12:00"), sent("m1"))
      .on(message("d", "bob", "m1", "12:02"))
      .causes({ ...candidate("m1", "ada"), conversationId: "d" }, { ...own("m1", "bob"), conversationId: "d" });
  });

  test("a message's time is its own, but never later than its Kafka timestamp", () => {
    const logged = at("12:00:30");
    const times = { sentAt: logged, occurredAt: logged };
    chat
      .after(joined("ada"))
      .on({ ...sent("m1"), timestamp: logged })
      .causes({ ...candidate("m1", "ada"), ...times }, { ...own("m1", "bob"), ...times });
  });
});

describe("participants", () => {
  test("a participant who leaves, loses access or mutes has no missed messages in the conversation any more", () => {
    chat
      .after(...both)
      .on(left("ada"))
      .causes(closed("left", "ada"));
    chat
      .after(...both)
      .on(updated("ada", { access: "NONE" }))
      .causes(closed("no_access", "ada"));
    chat
      .after(...both)
      .on(updated("ada", { notify: "NONE" }))
      .causes(closed("muted", "ada"));
    chat
      .after(...both)
      .on(updated("ada", { access: "NONE", notify: "NONE" }))
      .causes(closed("no_access", "ada"));
  });

  test("a participant who changes to MENTIONS_ONLY keeps only missed messages that mention them", () => {
    chat
      .after(...both)
      .on(updated("ada", { notify: "MENTIONS_ONLY" }))
      .causes({ type: "MENTIONS_ONLY", recipients: ["ada"] });
  });

  test("a participant who joins, or whose notifications widen, has missed no earlier message", () => {
    chat
      .after(sent("m1"))
      .on(participant("c", "ada", "12:02"))
      .causes();
    chat
      .after(...picky)
      .on(updated("ada", { notify: "ALL" }))
      .causes();
    chat
      .after(...both)
      .on(updated("ada", { access: "READ" }))
      .causes();
  });

  test("a user who leaves without having joined changes nothing", () => {
    chat.after(joined("bob")).on(left("ada")).causes();
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "a user called %s is a user like any other",
    (name) => {
      chat.after(joined("ada")).on(left(name)).causes();
      chat
        .after(joined(name))
        .on(sent("m1", { mentions: [name] }))
        .causes({ ...candidate("m1", name), mentioned: [name] }, own("m1", "bob"));
      chat.after(joined(name)).on(left(name)).causes(closed("left", name));
      chat.after(joined(name), left(name)).on(sent("m1")).causes(own("m1", "bob"));
      chat
        .after(joined(name, { notify: "MENTIONS_ONLY" }), sent("m1", { mentions: [name] }))
        .on(edited("m1", "12:02"))
        .causes(mentions("m1", [name]), withdrawn("m1", "unmentioned", name));
    },
  );
});
