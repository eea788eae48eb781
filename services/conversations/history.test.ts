import { describe, expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import { at, conversation, message } from "../../test/support/chat.ts";
import { of } from "../../test/support/spec.ts";
import {
  candidate,
  closed,
  closedAt,
  deleted,
  edited,
  joined,
  mentions,
  own,
  sent,
  withdrawn,
} from "../../test/support/talk.ts";
import { conversationKey, messageKey } from "../domain/conversation-rows.ts";
import { MAX_ID_LENGTH } from "../platform/contract/identity.ts";
import { conversations } from "./rule.ts";

const chat = of(conversations, undefined);
const both = [joined("ada"), joined("bob")];

describe("edits", () => {
  const eve = joined("eve", { notify: "MENTIONS_ONLY" });

  test("an EDITED entry goes to the users whom the message newly mentions or mentions no longer", () => {
    chat
      .after(...both, sent("m1", { mentions: ["ada"] }))
      .on(edited("m1", "12:02"))
      .causes(mentions("m1", ["ada"]));
  });

  test("an edit that newly mentions a user makes the message a candidate for them at that time", () => {
    const entry = { ...candidate("m1", "eve"), mentioned: ["eve"], occurredAt: at("12:02") };
    chat
      .after(joined("bob"), eve, sent("m1"))
      .on(edited("m1", "12:02", { mentions: ["eve", "bob"] }))
      .causes({ ...mentions("m1", ["eve", "bob"], "eve", "bob"), occurredAt: at("12:02") }, entry);
  });

  test("an edit that no longer mentions a user of MENTIONS_ONLY withdraws the message from them", () => {
    chat
      .after(joined("ada"), eve, sent("m1", { mentions: ["eve", "ada"] }))
      .on(edited("m1", "12:02", { mentions: ["ada"] }))
      .causes(mentions("m1", ["eve"]), withdrawn("m1", "unmentioned", "eve"));
  });

  test("an edit makes no candidate for its sender, a user already mentioned, or a user without access", () => {
    chat
      .after(eve, joined("bob"), joined("dan", { access: "NONE" }), sent("m1", { mentions: ["eve"] }))
      .on(edited("m1", "12:02", { mentions: ["eve", "bob", "dan", "stranger"] }))
      .causes(mentions("m1", ["bob", "dan"], "bob", "dan"));
  });

  test("an edit of an imported message makes it nobody's candidate", () => {
    chat
      .after(eve, sent("m1", { origin: "IMPORT" }))
      .on(edited("m1", "12:02", { mentions: ["eve"] }))
      .causes(mentions("m1", ["eve"], "eve"));
  });

  test("a repeated edit changes nothing", () => {
    chat
      .after(...both, sent("m1"), edited("m1", "12:02"))
      .on(edited("m1", "12:02", { mentions: ["ada"] }))
      .causes();
  });

  test("an edit older than its message changes nothing, whichever comes first", () => {
    const early = edited("m1", "12:00:59", { mentions: ["eve"] });
    chat
      .after(...both, eve, sent("m1"))
      .on({ ...early, timestamp: at("12:02") })
      .causes();
    chat
      .after(...both, eve, early)
      .on(sent("m1"))
      .causes(candidate("m1", "ada"), own("m1", "bob"));
  });

  test("an edit of an unknown or deleted message changes nothing", () => {
    chat
      .after(...both)
      .on(edited("m1", "12:02"))
      .causes();
    chat
      .after(...both, sent("m1"), deleted("m1"))
      .on(edited("m1", "12:03", { mentions: ["ada"] }))
      .causes();
  });
});

describe("deletions", () => {
  test("a deletion withdraws the message from all participants, once", () => {
    chat
      .after(...both, sent("m1"))
      .on(deleted("m1"))
      .causes(withdrawn("m1", "deleted", "ada", "bob"));
    chat
      .after(...both, sent("m1"), deleted("m1"))
      .on(deleted("m1", "12:03"))
      .causes();
  });

  test("a deletion of an unknown message changes nothing", () => {
    chat
      .after(...both)
      .on(deleted("m1"))
      .causes();
  });
});

describe("conversations", () => {
  test("a deleted conversation is closed for everyone, and no message in it is missed until it is described again", () => {
    chat
      .after(...both)
      .on(closedAt("12:03"))
      .causes(closed("conversation_deleted", "ada", "bob"));
    const later = message("c", "bob", "m2", "12:04");
    chat
      .after(...both, closedAt("12:03"))
      .on(later)
      .causes(own("m2", "bob"));
    chat
      .after(...both, closedAt("12:03"), conversation("c", "12:03:30"))
      .on(later)
      .causes(candidate("m2", "ada"), own("m2", "bob"));
  });

  test("a conversation remembers its latest description and the latest versions of its last 20 system messages", () => {
    const system = Array.from({ length: 22 }, (_none, index) =>
      message("c", null, `s${index}`, `12:01:${String(index).padStart(2, "0")}`, { kind: "SYSTEM" }),
    );
    const { rows } = chat.after(
      ...both,
      conversation("c", "12:00", { subject: "Old" }),
      conversation("c", "12:01", { subject: "New", custom: { a: "1" } }),
      ...system,
      message("c", null, "s21", "12:02", { type: "EDITED", text: "edited" }),
      message("c", null, "s20", "12:03", { type: "DELETED", text: "" }),
    );
    const row = rows.get(conversationKey("c"));
    if (row?.type !== "conversation") throw new Error("no conversation");
    expect(row).toMatchObject({ subject: "New", custom: { a: "1" }, deletedAt: null });
    expect(row.systemMessages.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 20 }, (_none, index) => `s${index + 2}`),
    );
    expect(row.systemMessages.slice(-2)).toMatchObject([{ isDeleted: true, text: "" }, { text: "edited" }]);
  });
});

describe("late joins", () => {
  const burst = Array.from({ length: 120 }, (_none, index) =>
    message("c", "bob", `m${index}`, `12:${String(1 + Math.floor(index / 60)).padStart(2, "0")}:${index % 60}`),
  );

  test("a participant whose join comes late may have missed every message of the last minutes, however many", () => {
    chat
      .after(joined("bob"), ...burst)
      .on({ ...joined("ada"), timestamp: at("12:03") })
      .causes(...burst.map(({ value }) => candidate(value?.messageId ?? "", "ada")));
  });
});

describe("message rows", () => {
  const row = (...said: readonly NewRecord[]) => chat.after(...said).rows.get(messageKey("c", "m1"));

  test("a message's row has the latest text, whatever order the edits come in", () => {
    expect(row(...both, sent("m1"), edited("m1", "12:03"), edited("m1", "12:02"))).toMatchObject({
      text: "as of 12:03",
      versions: [{ at: at("12:01") }, { at: at("12:02") }, { at: at("12:03") }],
    });
  });

  test("a deleted message's row has no text", () => {
    expect(row(sent("m1"), deleted("m1"))).toMatchObject({ isDeleted: true, text: "", attachments: [] });
  });

  test("a message is forgotten 30 days after its latest record, and an edit after that changes nothing", () => {
    const days = (count: number): string => `${12 + 24 * count}:02`;
    const both30 = [...both, sent("m1"), edited("m1", "12:02")];
    expect(
      chat
        .after(...both30)
        .until(`${12 + 24 * 30}:01:59`)
        .rows.has(messageKey("c", "m1")),
    ).toBe(true);
    expect(
      chat
        .after(...both30)
        .until(days(30))
        .rows.has(messageKey("c", "m1")),
    ).toBe(false);
    chat
      .after(...both30)
      .on(edited("m1", days(31), { mentions: ["ada"] }))
      .causes();
  });
});

describe("invalid records", () => {
  test("a record is poison if its key differs from its id, or an id is empty, too long or contains NUL", () => {
    const poison = (said: NewRecord): void => {
      expect(() => chat.after(said).rows).toThrow(expect.objectContaining({ name: "Poison" }));
    };
    for (const said of [sent("m1"), joined("ada"), conversation("c", "12:00")]) poison({ ...said, key: "d" });
    for (const id of ["", "a\u0000", "x".repeat(MAX_ID_LENGTH + 1)]) {
      poison(sent(id));
      poison(joined(id));
      poison(sent("m1", { senderId: id }));
    }
  });

  test("a tombstone of a message or a participant changes nothing", () => {
    for (const said of [sent("m1"), joined("ada")])
      chat
        .after(...both)
        .on({ ...said, value: null, timestamp: 0 })
        .causes();
  });
});
