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

describe("a message", () => {
  test("may be missed by everyone who takes part but its sender, who has read what was before it", () => {
    chat
      .after(...both, joined("eve"))
      .on(sent("m1"))
      .causes(candidate("m1", "ada", "eve"), own("m1", "bob"));
  });

  test("by someone who doesn't take part may be missed by all", () => {
    chat.after(joined("ada")).on(sent("m1")).causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("by nobody is nobody's own", () => {
    chat
      .after(...both)
      .on(sent("m1", { senderId: null }))
      .causes(candidate("m1", "ada", "bob"));
  });

  test("is of no concern to who has left, has no access, or has muted the conversation", () => {
    const others = [joined("eve", { access: "NONE" }), joined("dan", { notify: "NONE" })];
    chat
      .after(...both, ...others, left("ada", "12:00:30"))
      .on(sent("m1"))
      .causes(own("m1", "bob"));
  });

  test("may be missed by who may only read", () => {
    chat
      .after(joined("ada", { access: "READ" }))
      .on(sent("m1"))
      .causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("may be missed by who came back", () => {
    chat
      .after(...both, left("ada", "12:00:10"), participant("c", "ada", "12:00:20"))
      .on(sent("m1"))
      .causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("concerns who wants mentions only if it mentions them", () => {
    chat
      .after(...picky)
      .on(sent("m1"))
      .causes(own("m1", "bob"));
    chat
      .after(...picky)
      .on(sent("m1", { mentions: ["ada", "bob", "stranger"] }))
      .causes({ ...candidate("m1", "ada"), mentioned: ["ada"] }, own("m1", "bob"));
  });

  test("says whom it mentions among all", () => {
    chat
      .after(...both, joined("eve"))
      .on(sent("m1", { mentions: ["eve"] }))
      .causes({ ...candidate("m1", "ada", "eve"), mentioned: ["eve"] }, own("m1", "bob"));
  });

  test("that mentions who has muted the conversation, or has no access, concerns them no more than another", () => {
    chat
      .after(joined("ada", { notify: "NONE" }), joined("eve", { access: "NONE", notify: "MENTIONS_ONLY" }))
      .on(sent("m1", { mentions: ["ada", "eve"] }))
      .causes(own("m1", "bob"));
  });

  test("of the system, or imported, is missed by nobody", () => {
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

  test("that was sent before counts once, also when it was deleted since", () => {
    chat
      .after(...both, sent("m1"))
      .on(sent("m1", { text: "again" }))
      .causes();
    chat
      .after(...both, sent("m1"), deleted("m1"))
      .on(sent("m1"))
      .causes();
  });

  test("is told apart from one of the same id elsewhere", () => {
    chat
      .after(...both, participant("d", "ada", "12:00"), sent("m1"))
      .on(message("d", "bob", "m1", "12:02"))
      .causes({ ...candidate("m1", "ada"), conversationId: "d" }, { ...own("m1", "bob"), conversationId: "d" });
  });

  test("has its own time, but never one later than the log's", () => {
    const logged = at("12:00:30");
    const times = { sentAt: logged, occurredAt: logged };
    chat
      .after(joined("ada"))
      .on({ ...sent("m1"), timestamp: logged })
      .causes({ ...candidate("m1", "ada"), ...times }, { ...own("m1", "bob"), ...times });
  });
});

describe("a participant", () => {
  test("who leaves, loses access or mutes has nothing missed there any more", () => {
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

  test("who wants only mentions from now on has only those missed", () => {
    chat
      .after(...both)
      .on(updated("ada", { notify: "MENTIONS_ONLY" }))
      .causes({ type: "MENTIONS_ONLY", recipients: ["ada"] });
  });

  test("who joins, or wants more, has missed nothing by that", () => {
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

  test("who leaves without having joined changes nothing", () => {
    chat.after(joined("bob")).on(left("ada")).causes();
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "called %s is a user like any other",
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
