import { describe, expect, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import {
  ada,
  closed,
  deletedUser,
  eager,
  editedFor,
  entry,
  mentionsOnly,
  missed,
  offline,
  online,
  profile,
  reads,
  withdrawn,
  wrote,
} from "../../test/support/inbox.ts";
import { at, presence } from "../../test/support/chat.ts";
import { told } from "../../test/support/spec.ts";
import { notificationId } from "../domain/ids.ts";

describe("due: a message to someone who was never there", () => {
  test("is told at the timeout and not before", () => {
    ada.after(missed("m1", "12:01")).until("12:05:59").tells();
    ada
      .after(missed("m1", "12:01"))
      .until("12:06")
      .tells(told("12:06", "c", "m1"));
  });

  test("is told once, with all that was missed till then, however long one waits", () => {
    const burst = [missed("m1", "12:01"), missed("m2", "12:03"), missed("m3", "12:06")];
    ada
      .after(...burst)
      .until("23:00")
      .tells(told("12:06", "c", "m1", "m2", "m3"));
  });

  test("is told at once where the timeout is nothing", () => {
    eager
      .after(missed("m1", "12:01"), missed("m2", "12:01"))
      .until("12:01")
      .tells(told("12:01", "c", "m1", "m2"));
  });

  test("that comes after a notification leads to another, about itself alone", () => {
    const [first, second] = [told("12:06", "c", "m1"), told("12:12", "c", "m2")];
    ada.after(missed("m1", "12:01"), missed("m2", "12:07")).until("23:00").tells(first, second);
  });

  test("is told for each conversation at its own time", () => {
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:02", { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:06", "c", "m1"), told("12:07", "d", "m1"));
  });

  test("counts from when it became a candidate, which for a mention by edit is later than it was sent", () => {
    ada
      .after(missed("m1", "12:10", { sentAt: at("12:01"), mentioned: ["ada"] }))
      .until("23:00")
      .tells(told("12:15", "c", "m1"));
  });

  test("is told under an id that says who, what first and since when", () => {
    const { id, notificationId: its, userId } = ada.after(missed("m1", "12:01")).until("23:00").notification();
    expect(its).toBe(notificationId("ada", "c", "m1", at("12:01")));
    expect(userId).toBe("ada");
    expect(id).not.toBe(its);
  });

  test("counts once, however often it comes", () => {
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:02"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:10", { sentAt: at("12:01") }))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("is no concern of another's", () => {
    ada
      .after(missed("m1", "12:01", { recipients: ["eve"] }))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
    expect(
      ada
        .after(missed("m1", "12:01", { recipients: ["eve"] }))
        .until("23:00")
        .notification().userId,
    ).toBe("eve");
    ada
      .after(missed("m1", "12:01", { recipients: [] }))
      .until("23:00")
      .tells();
  });
});

describe("missed, 6: what has been read", () => {
  const about = (...said: readonly NewRecord[]) => ada.after(...said).until("23:00");

  test("up to the message's time is not told", () => {
    about(missed("m1", "12:01"), reads("12:03", "12:01")).tells();
    about(missed("m1", "12:01"), reads("12:03", "12:00:59")).tells(told("12:06", "c", "m1"));
  });

  test("without a time is read up to the record's own", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), reads("12:01:30")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), reads("12:01:30"), missed("m2", "12:02")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), reads("12:01")).tells();
  });

  test("is read for good, whenever the message comes", () => {
    about(reads("12:03"), missed("m1", "12:01")).tells();
    about(reads("12:03"), reads("12:02"), missed("m1", "12:03", { sentAt: at("12:02:30") })).tells();
  });

  test("was read no later than it was logged: nobody reads what isn't sent yet", () => {
    about(reads("12:03", "13:00"), missed("m1", "12:04")).tells(told("12:09", "c", "m1"));
  });

  test("leaves what came later", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), reads("12:03", "12:01")).tells(told("12:07", "c", "m2"));
  });

  test("in another conversation, or nowhere, changes nothing here", () => {
    about(missed("m1", "12:01"), reads("12:03", null, { conversationId: "d" })).tells(told("12:06", "c", "m1"));
    about(missed("m1", "12:01"), reads("12:03", null, { conversationId: null })).tells(told("12:06", "c", "m1"));
  });

  test("and marked as unread stays read", () => {
    const unread = presence("ada", "MARKED_UNREAD", "12:04", { conversationId: "c" });
    about(missed("m1", "12:01"), reads("12:03"), unread).tells();
    about(missed("m1", "12:01"), unread).tells(told("12:06", "c", "m1"));
  });

  test("by writing is what was there before, not what came at the same time", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), wrote("12:02")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), wrote("12:02"), missed("m0", "12:03", { sentAt: at("12:00") })).tells();
  });

  test("10: after it was told is not told again", () => {
    about(missed("m1", "12:01"), reads("12:10"), missed("m1", "12:11", { sentAt: at("12:01") })).tells(
      told("12:06", "c", "m1"),
    );
  });
});

describe("what is missed no more", () => {
  test("7: is a message that was withdrawn: what is left counts from its own first", () => {
    ada
      .after(missed("m1", "12:01"), missed("m2", "12:02"), withdrawn("m1", "12:03"))
      .until("23:00")
      .tells(told("12:07", "c", "m2"));
    ada.after(missed("m1", "12:01"), withdrawn("m1", "12:03")).until("23:00").tells();
    ada
      .after(missed("m1", "12:01"), withdrawn("m2", "12:03"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("8, 9: is all of a conversation that was closed, but not what comes later", () => {
    ada
      .after(missed("m1", "12:01"), closed("12:03"), missed("m2", "12:04"))
      .until("23:00")
      .tells(told("12:09", "c", "m2"));
  });

  test("8: is what doesn't mention someone who wants only mentions from now on", () => {
    ada
      .after(missed("m1", "12:01"), missed("m2", "12:02", { mentioned: ["ada"] }), mentionsOnly("12:03"))
      .until("23:00")
      .tells(told("12:07", "c", "m2"));
  });

  test("7, 8: goes by whom the message mentions after its edits", () => {
    const [m1, m2] = [missed("m1", "12:01"), missed("m2", "12:02", { mentioned: ["ada"] })];
    ada
      .after(m1, m2, editedFor("m1", "12:03", "ada"), editedFor("m2", "12:03"), mentionsOnly("12:04"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("9: is everything of a user who was deleted, until there is one again", () => {
    ada.after(profile("12:00"), missed("m1", "12:01"), deletedUser("12:02")).until("23:00").tells();
    ada.after(deletedUser("12:00"), missed("m1", "12:01")).until("23:00").tells();
    ada
      .after(deletedUser("12:00"), missed("m1", "12:01"), profile("12:02"), missed("m2", "12:03"))
      .until("23:00")
      .tells(told("12:08", "c", "m2"));
  });

  test("is not changed by entries about nothing", () => {
    const odd = [entry("CANDIDATE", "c", "12:02"), entry("EDITED", "c", "12:02"), entry("WITHDRAWN", "c", "12:02")];
    ada
      .after(missed("m1", "12:01"), ...odd)
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });
});

describe("away: someone who comes and goes", () => {
  test("is told the timeout after they left", () => {
    ada
      .after(online("12:00:30"), missed("m1", "12:01"), offline("12:01:10"))
      .until("23:00")
      .tells(told("12:06:10", "c", "m1"));
  });

  test("is told the timeout after the message where they left before", () => {
    ada
      .after(online("12:00:30"), offline("12:00:50"), missed("m1", "12:01"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("starts to wait anew when they come back before it is due", () => {
    ada
      .after(missed("m1", "12:01"), online("12:05"), offline("12:05:30"))
      .until("23:00")
      .tells(told("12:10:30", "c", "m1"));
  });

  test("is not told late what was told in time: what comes at that moment or later undoes nothing", () => {
    ada
      .after(missed("m1", "12:01"), online("12:06:01"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
    ada.after(missed("m1", "12:01"), online("12:06")).until("12:06:30").tells();
  });
});

describe("ids are any text", () => {
  const hostile = ["constructor", "__proto__", "toString", "\u001f", "3\u001fabc", "👾"];

  test.each(hostile)("of a conversation: %j", (id) => {
    ada
      .after(missed("m1", "12:01", { conversationId: id }), missed("m1", "12:02"))
      .until("23:00")
      .tells(told("12:06", id, "m1"), told("12:07", "c", "m1"));
    const read = reads("12:03", null, { conversationId: id });
    ada
      .after(missed("m1", "12:01", { conversationId: id }), read)
      .until("23:00")
      .tells();
  });

  test.each(hostile)("of a session and its screen: %j", (id) => {
    ada
      .after(online("12:00:30", id, id), missed("m1", "12:01", { conversationId: id }), offline("12:01:10", id))
      .until("23:00")
      .tells();
    ada
      .after(online("12:00:30", id, id), missed("m1", "12:01", { conversationId: id }))
      .until("23:00")
      .tells(told("12:06", id, "m1"));
  });

  test.each(hostile)("of a message and its sender: %j", (id) => {
    ada
      .after(missed(id, "12:01", { senderId: id }), missed("m2", "12:02"))
      .until("23:00")
      .tells(told("12:06", "c", id, "m2"));
    ada.after(missed(id, "12:01"), withdrawn(id, "12:02")).until("23:00").tells();
  });
});
