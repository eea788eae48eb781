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

describe("due: a message to a user without any session", () => {
  test("a missed message is told at the timeout and not before", () => {
    ada.after(missed("m1", "12:01")).until("12:05:59").tells();
    ada
      .after(missed("m1", "12:01"))
      .until("12:06")
      .tells(told("12:06", "c", "m1"));
  });

  test("one notification is about all messages missed until then, and no other follows", () => {
    const burst = [missed("m1", "12:01"), missed("m2", "12:03"), missed("m3", "12:06")];
    ada
      .after(...burst)
      .until("23:00")
      .tells(told("12:06", "c", "m1", "m2", "m3"));
  });

  test("a missed message is told at once if the timeout is 0", () => {
    eager
      .after(missed("m1", "12:01"), missed("m2", "12:01"))
      .until("12:01")
      .tells(told("12:01", "c", "m1", "m2"));
  });

  test("a message after a notification is told in another one, alone", () => {
    const [first, second] = [told("12:06", "c", "m1"), told("12:12", "c", "m2")];
    ada.after(missed("m1", "12:01"), missed("m2", "12:07")).until("23:00").tells(first, second);
  });

  test("each conversation is told at its own time", () => {
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:02", { conversationId: "d" }))
      .until("23:00")
      .tells(told("12:06", "c", "m1"), told("12:07", "d", "m1"));
  });

  test("the timeout of a mention by edit counts from the edit", () => {
    ada
      .after(missed("m1", "12:10", { sentAt: at("12:01"), mentioned: ["ada"] }))
      .until("23:00")
      .tells(told("12:15", "c", "m1"));
  });

  test("the notification's id derives from the recipient, the first missed message and its `since`", () => {
    const event = ada.after(missed("m1", "12:01")).until("23:00").notification();
    expect(event.notificationId).toBe(notificationId("ada", "c", "m1", at("12:01")));
    expect(event.userId).toBe("ada");
    expect(event.id).not.toBe(event.notificationId);
  });

  test("a repeated candidate counts once", () => {
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:02"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
    ada
      .after(missed("m1", "12:01"), missed("m1", "12:10", { sentAt: at("12:01") }))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("an entry changes only the inboxes of its recipients", () => {
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

describe("missed, clause 6: reads", () => {
  const about = (...said: readonly NewRecord[]) => ada.after(...said).until("23:00");

  test("a READ up to the message's time reads it", () => {
    about(missed("m1", "12:01"), reads("12:03", "12:01")).tells();
    about(missed("m1", "12:01"), reads("12:03", "12:00:59")).tells(told("12:06", "c", "m1"));
  });

  test("a READ without `readUntil` reads messages up to its own time", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), reads("12:01:30")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), reads("12:01:30"), missed("m2", "12:02")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), reads("12:01")).tells();
  });

  test("a READ also reads older messages that come later", () => {
    about(reads("12:03"), missed("m1", "12:01")).tells();
    about(reads("12:03"), reads("12:02"), missed("m1", "12:03", { sentAt: at("12:02:30") })).tells();
  });

  test("a READ reads no message after its own Kafka timestamp", () => {
    about(reads("12:03", "13:00"), missed("m1", "12:04")).tells(told("12:09", "c", "m1"));
  });

  test("a READ leaves later messages missed", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), reads("12:03", "12:01")).tells(told("12:07", "c", "m2"));
  });

  test("a READ of another conversation, or of none, changes nothing", () => {
    about(missed("m1", "12:01"), reads("12:03", null, { conversationId: "d" })).tells(told("12:06", "c", "m1"));
    about(missed("m1", "12:01"), reads("12:03", null, { conversationId: null })).tells(told("12:06", "c", "m1"));
  });

  test("MARKED_UNREAD changes nothing", () => {
    const unread = presence("ada", "MARKED_UNREAD", "12:04", { conversationId: "c" });
    about(missed("m1", "12:01"), reads("12:03"), unread).tells();
    about(missed("m1", "12:01"), unread).tells(told("12:06", "c", "m1"));
  });

  test("a user who writes has read messages of earlier times, not of the same time", () => {
    about(missed("m1", "12:01"), missed("m2", "12:02"), wrote("12:02")).tells(told("12:07", "c", "m2"));
    about(missed("m1", "12:01"), wrote("12:02"), missed("m0", "12:03", { sentAt: at("12:00") })).tells();
  });

  test("clause 10: a message that was told is not told again", () => {
    about(missed("m1", "12:01"), reads("12:10"), missed("m1", "12:11", { sentAt: at("12:01") })).tells(
      told("12:06", "c", "m1"),
    );
  });
});

describe("messages that stop being missed", () => {
  test("clause 7: a withdrawn message is not told, and the timeout counts from the first message left", () => {
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

  test("clauses 8, 9: a closed conversation loses all missed messages, but not later ones", () => {
    ada
      .after(missed("m1", "12:01"), closed("12:03"), missed("m2", "12:04"))
      .until("23:00")
      .tells(told("12:09", "c", "m2"));
  });

  test("clause 8: a change to MENTIONS_ONLY drops missed messages without a mention", () => {
    ada
      .after(missed("m1", "12:01"), missed("m2", "12:02", { mentioned: ["ada"] }), mentionsOnly("12:03"))
      .until("23:00")
      .tells(told("12:07", "c", "m2"));
  });

  test("clauses 7, 8: a change to MENTIONS_ONLY goes by the mentions after the edits", () => {
    const [m1, m2] = [missed("m1", "12:01"), missed("m2", "12:02", { mentioned: ["ada"] })];
    ada
      .after(m1, m2, editedFor("m1", "12:03", "ada"), editedFor("m2", "12:03"), mentionsOnly("12:04"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("clause 9: a deleted user misses nothing until their profile is back", () => {
    ada.after(profile("12:00"), missed("m1", "12:01"), deletedUser("12:02")).until("23:00").tells();
    ada.after(deletedUser("12:00"), missed("m1", "12:01")).until("23:00").tells();
    ada
      .after(deletedUser("12:00"), missed("m1", "12:01"), profile("12:02"), missed("m2", "12:03"))
      .until("23:00")
      .tells(told("12:08", "c", "m2"));
  });

  test("entries without a message id change nothing", () => {
    const odd = [entry("CANDIDATE", "c", "12:02"), entry("EDITED", "c", "12:02"), entry("WITHDRAWN", "c", "12:02")];
    ada
      .after(missed("m1", "12:01"), ...odd)
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });
});

describe("away: a user who comes and goes", () => {
  test("a user who left after the message is told a timeout after leaving", () => {
    ada
      .after(online("12:00:30"), missed("m1", "12:01"), offline("12:01:10"))
      .until("23:00")
      .tells(told("12:06:10", "c", "m1"));
  });

  test("a user who left before the message is told a timeout after the message", () => {
    ada
      .after(online("12:00:30"), offline("12:00:50"), missed("m1", "12:01"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
  });

  test("a session before the notification is due starts the timeout anew", () => {
    ada
      .after(missed("m1", "12:01"), online("12:05"), offline("12:05:30"))
      .until("23:00")
      .tells(told("12:10:30", "c", "m1"));
  });

  test("a sign after the due time undoes no notification, a sign at the due time holds it back", () => {
    ada
      .after(missed("m1", "12:01"), online("12:06:01"))
      .until("23:00")
      .tells(told("12:06", "c", "m1"));
    ada.after(missed("m1", "12:01"), online("12:06")).until("12:06:30").tells();
  });
});

describe("ids may be any text", () => {
  const hostile = ["constructor", "__proto__", "toString", "\u001f", "3\u001fabc", "👾"];

  test.each(hostile)("a conversation may have the id %j", (id) => {
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

  test.each(hostile)("a session and its screen may have the id %j", (id) => {
    ada
      .after(online("12:00:30", id, id), missed("m1", "12:01", { conversationId: id }), offline("12:01:10", id))
      .until("23:00")
      .tells();
    ada
      .after(online("12:00:30", id, id), missed("m1", "12:01", { conversationId: id }))
      .until("23:00")
      .tells(told("12:06", id, "m1"));
  });

  test.each(hostile)("a message and its sender may have the id %j", (id) => {
    ada
      .after(missed(id, "12:01", { senderId: id }), missed("m2", "12:02"))
      .until("23:00")
      .tells(told("12:06", "c", id, "m2"));
    ada.after(missed(id, "12:01"), withdrawn(id, "12:02")).until("23:00").tells();
  });
});
