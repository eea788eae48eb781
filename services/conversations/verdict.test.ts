import { describe, test } from "vitest";
import { at, participant } from "../../test/support/chat.ts";
import { of, rejected } from "../../test/support/spec.ts";
import {
  candidate,
  closed,
  closedAt,
  deleted,
  edited,
  joined,
  left,
  mentions,
  sent,
  updated,
  withdrawn,
} from "../../test/support/talk.ts";
import { conversations } from "./rule.ts";

/** Reasons for which a message is rejected, by the clauses of "Missed" (services/inboxes/README.md). */

const chat = of(conversations, undefined);
const picky = joined("ada", { notify: "MENTIONS_ONLY" });

describe("verdicts on sent messages", () => {
  test("clause 1: a message is rejected for its sender, and for everyone if it is a system message or imported", () => {
    chat
      .after(joined("ada"), joined("bob"))
      .on(sent("m1"))
      .notes(rejected("self", "m1", "bob"));
    chat
      .after(joined("ada"), joined("bob"))
      .on(sent("m1", { kind: "SYSTEM" }))
      .notes(rejected("system_message", "m1", "ada", "bob"));
    chat
      .after(joined("ada"))
      .on(sent("m1", { origin: "IMPORT" }))
      .notes(rejected("import", "m1", "ada"));
  });

  test("clauses 2, 3: a message is rejected for users without access, who muted the conversation, or whom it does not mention", () => {
    chat
      .after(joined("dan", { access: "NONE" }), joined("eve", { notify: "NONE" }), picky)
      .on(sent("m1"))
      .notes(
        rejected("no_access", "m1", "dan"),
        rejected("muted", "m1", "eve"),
        rejected("not_mentioned", "m1", "ada"),
      );
  });

  test("clause 4: a message in a deleted conversation is rejected for everyone, unless clause 2 or 3 rejects it first", () => {
    chat
      .after(
        joined("ada"),
        joined("eve", { notify: "NONE" }),
        joined("dan"),
        left("dan", "12:00:10"),
        closedAt("12:00:30"),
      )
      .on(sent("m1"))
      .notes(
        rejected("conversation_deleted", "m1", "ada"),
        rejected("muted", "m1", "eve"),
        rejected("not_participant", "m1", "dan"),
      );
  });
});

describe("verdicts on edited messages", () => {
  const mention = edited("m1", "12:03", { mentions: ["ada"] });

  test("clauses 2, 3: a newly mentioned user without access, or who muted the conversation, has a rejection", () => {
    chat
      .after(picky, sent("m1"), participant("c", "ada", "12:02", { notify: "NONE" }))
      .on(mention)
      .notes(rejected("muted", "m1", "ada"));
    chat
      .after(sent("m1"), participant("c", "ada", "12:02", { access: "NONE" }))
      .on(mention)
      .notes(rejected("no_access", "m1", "ada"));
  });

  test("an edit adds no verdict for users whom it mentions or omits as before", () => {
    chat
      .after(joined("ada", { notify: "NONE" }), joined("dan", { notify: "NONE" }), sent("m1", { mentions: ["ada"] }))
      .on(mention)
      .notes();
  });

  test("clause 7: a message that mentions a user no longer is withdrawn as `unmentioned`, even if it was sent without the mention", () => {
    chat
      .after(picky, sent("m1"), edited("m1", "12:02", { mentions: ["ada"] }))
      .on(edited("m1", "12:03"))
      .causes(mentions("m1", ["ada"]), withdrawn("m1", "unmentioned", "ada"));
  });

  test("clause 7: an edit of a deleted message adds no verdict", () => {
    chat.after(picky, sent("m1"), deleted("m1")).on(mention).notes();
  });
});

describe("verdicts on late participants", () => {
  const late = { timestamp: at("12:02") };

  test("clauses 2, 3: a late join of a muted participant rejects the messages since its own time", () => {
    chat
      .after(joined("bob"), sent("m1"))
      .on({ ...participant("c", "ada", "12:00:30", { notify: "NONE" }), ...late })
      .notes(rejected("muted", "m1", "ada"));
  });

  test("clause 2: a late LEFT withdraws a message of its own time as `not_participant`", () => {
    chat
      .after(joined("ada"), sent("m1"))
      .on({ ...left("ada", "12:01"), ...late })
      .causes(closed("left", "ada"), withdrawn("m1", "not_participant", "ada"));
  });

  test("clause 3: a late change to ALL brings back a message from hours ago, unless changes since may be forgotten", () => {
    const back = { ...updated("ada", { occurredAt: at("15:00") }), timestamp: at("15:01") };
    const again = { ...candidate("m1", "ada"), mentioned: ["ada"], sentAt: at("12:01"), since: at("12:01") };
    chat
      .after(picky, sent("m1", { mentions: ["ada"] }), edited("m1", "15:00"))
      .on(back)
      .causes(again);
    const muted = participant("c", "ada", "12:30", { notify: "NONE" });
    chat
      .after(picky, sent("m1", { mentions: ["ada"] }), muted, edited("m1", "15:00"))
      .on(back)
      .causes();
  });
});
