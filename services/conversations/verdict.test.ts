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

/** Why a message is nobody's candidate, by the clauses of "Missed" (design/semantics.md). */

const chat = of(conversations, undefined);
const picky = joined("ada", { notify: "MENTIONS_ONLY" });

describe("a message that is sent", () => {
  test("1: is not the sender's own, nor anybody's where it is of the system or imported", () => {
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

  test("2, 3: is not for who has no access, has muted the conversation, or isn't mentioned", () => {
    chat
      .after(joined("dan", { access: "NONE" }), joined("eve", { notify: "NONE" }), picky)
      .on(sent("m1"))
      .notes(
        rejected("no_access", "m1", "dan"),
        rejected("muted", "m1", "eve"),
        rejected("not_mentioned", "m1", "ada"),
      );
  });

  test("4: is nobody's in a deleted conversation, where 2 and 3 say nothing else of them", () => {
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

describe("a message that is edited", () => {
  const mention = edited("m1", "12:03", { mentions: ["ada"] });

  test("2, 3: is not for who is newly mentioned, but has no access or has muted the conversation by then", () => {
    chat
      .after(picky, sent("m1"), participant("c", "ada", "12:02", { notify: "NONE" }))
      .on(mention)
      .notes(rejected("muted", "m1", "ada"));
    chat
      .after(sent("m1"), participant("c", "ada", "12:02", { access: "NONE" }))
      .on(mention)
      .notes(rejected("no_access", "m1", "ada"));
  });

  test("has nothing new to say to those whom it mentions still, or not", () => {
    chat
      .after(joined("ada", { notify: "NONE" }), joined("dan", { notify: "NONE" }), sent("m1", { mentions: ["ada"] }))
      .on(mention)
      .notes();
  });

  test("7: and mentions someone no more is withdrawn for that, though at first it didn't mention them either", () => {
    chat
      .after(picky, sent("m1"), edited("m1", "12:02", { mentions: ["ada"] }))
      .on(edited("m1", "12:03"))
      .causes(mentions("m1", ["ada"]), withdrawn("m1", "unmentioned", "ada"));
  });

  test("7: after it was deleted says nothing any more", () => {
    chat.after(picky, sent("m1"), deleted("m1")).on(mention).notes();
  });
});

describe("a participant of whom it is known late", () => {
  const late = { timestamp: at("12:02") };

  test("2, 3: and who was to be told of nothing has a verdict about what was said meanwhile", () => {
    chat
      .after(joined("bob"), sent("m1"))
      .on({ ...participant("c", "ada", "12:00:30", { notify: "NONE" }), ...late })
      .notes(rejected("muted", "m1", "ada"));
  });

  test("2: that they had left when a message was sent took no part then, instead of leaving it", () => {
    chat
      .after(joined("ada"), sent("m1"))
      .on({ ...left("ada", "12:01"), ...late })
      .causes(closed("left", "ada"), withdrawn("m1", "not_participant", "ada"));
  });

  test("3: and was told of everything has missed what was said hours ago, if nothing between is forgotten", () => {
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
