import { describe, test } from "vitest";
import type { NewRecord } from "../domain/log-record.ts";
import {
  ada,
  heartbeat,
  missed,
  offline,
  online,
  profile,
  deletedUser,
  reads,
  withdrawn,
} from "../../test/support/inbox.ts";
import { at } from "../../test/support/chat.ts";
import { told } from "../../test/support/spec.ts";

const byEvening = { after: (...said: readonly NewRecord[]) => ada.after(...said).until("23:00") };

/** A HEARTBEAT every 30 s for a number of minutes. */
const alive = (from: string, minutes: number, session = "tab", screen: string | null = null): readonly NewRecord[] =>
  Array.from({ length: minutes * 2 + 1 }, (_none, index) => {
    const [hour = 0, minute = 0] = from.split(":").map(Number);
    return heartbeat(`${hour}:${minute + Math.floor(index / 2)}:${index % 2 === 0 ? "00" : "30"}`, session, screen);
  });

describe("presence: one session", () => {
  test("a live session holds notifications back", () => {
    byEvening.after(missed("m1", "12:01"), ...alive("12:02", 20)).tells(told("12:27", "c", "m1"));
    ada
      .after(missed("m1", "12:01"), ...alive("12:02", 20))
      .until("12:22")
      .tells();
  });

  test("a session that lapses was live until its latest sign", () => {
    byEvening.after(online("12:01"), missed("m1", "12:01:20")).tells(told("12:06:20", "c", "m1"));
    byEvening.after(missed("m1", "12:00:50"), online("12:01")).tells(told("12:06", "c", "m1"));
  });

  test("a record 45 s after the latest sign belongs to its session, and a later record does not", () => {
    byEvening.after(missed("m1", "12:01"), online("12:02"), heartbeat("12:02:45")).tells(told("12:07:45", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:02:46")).tells(told("12:07", "c", "m1"));
  });

  test("a session with an OFFLINE was live until then", () => {
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:02:40")).tells(told("12:07:40", "c", "m1"));
  });

  test("an OFFLINE of a session that is not live changes nothing", () => {
    byEvening.after(missed("m1", "12:01"), offline("12:02")).tells(told("12:06", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:04")).tells(told("12:07", "c", "m1"));
    byEvening
      .after(missed("m1", "12:01"), online("12:02"), offline("12:02:10"), offline("12:02:20"))
      .tells(told("12:07:10", "c", "m1"));
  });

  test("a session whose signs come out of order was live until the later one", () => {
    byEvening
      .after(missed("m1", "12:01"), heartbeat("12:02:30"), heartbeat("12:02"))
      .tells(told("12:07:30", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), heartbeat("12:02:30"), offline("12:02")).tells(told("12:07:30", "c", "m1"));
  });
});

describe("presence: two sessions", () => {
  test("a user is online until both sessions have ended", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), online("12:02:10", "b"), offline("12:02:20", "a"))
      .tells(told("12:07:20", "c", "m1"));
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), ...alive("12:02", 5, "b"), offline("12:07:10", "b"))
      .tells(told("12:12:10", "c", "m1"));
  });

  test("a user whose sessions both lapse is away since the later sign", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02:20", "b"), online("12:02", "a"))
      .tells(told("12:07:20", "c", "m1"));
  });

  test("the OFFLINE of one session does not end another", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), offline("12:02:05", "b"))
      .tells(told("12:07", "c", "m1"));
  });
});

describe("missed, clause 5: a message on the screen", () => {
  test("a message on the screen is not missed if the session goes on or ends with OFFLINE", () => {
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:01:30", "tab", "c")).tells();
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), offline("12:01:30")).tells();
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:01:30", "tab", "d")).tells();
  });

  test("a message on the screen is missed since its own time if the session lapses", () => {
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), missed("m2", "12:01:30"))
      .tells(told("12:06:20", "c", "m1", "m2"));
  });

  test("a lapse makes only messages after the latest sign missed", () => {
    byEvening
      .after(
        online("12:01", "tab", "c"),
        missed("m1", "12:01:20"),
        heartbeat("12:01:30", "tab", "c"),
        missed("m2", "12:01:40"),
      )
      .tells(told("12:06:40", "c", "m2"));
  });

  test("a message on the screen is missed if the next sign comes after the session has lapsed", () => {
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:02", "tab", "c"), offline("12:02:10"))
      .tells(told("12:07:10", "c", "m1"));
  });

  test("a message is missed if the latest sign has another conversation, or none, on screen", () => {
    byEvening
      .after(online("12:01", "tab", "d"), missed("m1", "12:01:20"), offline("12:01:30"))
      .tells(told("12:06:30", "c", "m1"));
    byEvening
      .after(
        online("12:01", "tab", "c"),
        heartbeat("12:01:10", "tab", null),
        missed("m1", "12:01:20"),
        offline("12:01:30"),
      )
      .tells(told("12:06:30", "c", "m1"));
  });

  test("a message on the screen of one session is seen though another session lapses", () => {
    byEvening
      .after(online("12:01", "a", null), online("12:01", "b", "c"), missed("m1", "12:01:20"), offline("12:01:30", "b"))
      .tells();
  });

  test("a message on the screens of two sessions is seen if either goes on, whichever came first", () => {
    for (const [silent, alive1] of [
      ["a", "b"],
      ["b", "a"],
    ] as const)
      for (const first of [silent, alive1])
        byEvening
          .after(
            online("12:01", first, "c"),
            online("12:01:10", first === silent ? alive1 : silent, "c"),
            missed("m1", "12:01:20"),
            heartbeat("12:01:30", alive1, "c"),
            offline("12:01:50", alive1),
          )
          .tells();
  });

  test("a message on the screens of two sessions is missed if both lapse", () => {
    byEvening
      .after(online("12:01", "a", "c"), online("12:01:10", "b", "c"), missed("m1", "12:01:20"))
      .tells(told("12:06:20", "c", "m1"));
  });

  test("a lapse does not bring back a message that was read, withdrawn, or lost with its deleted user", () => {
    const seen = [online("12:01", "tab", "c"), missed("m1", "12:01:20")];
    byEvening.after(...seen, reads("12:01:25")).tells();
    byEvening.after(...seen, withdrawn("m1", "12:01:25")).tells();
    byEvening.after(...seen, profile("12:01:22"), deletedUser("12:01:25"), profile("12:01:30")).tells();
  });

  test("a message missed before stays missed if an edit mentions its recipient while it is on screen", () => {
    const again = missed("m1", "12:02:20", { sentAt: at("12:01"), mentioned: ["ada"] });
    ada
      .after(missed("m1", "12:01"), online("12:02", "tab", "c"))
      .on(again)
      .notes();
  });

  test("a message that a lapse made missed is in one notification only", () => {
    const again = (clock: string) => missed("m1", clock, { sentAt: at("12:01:20") });
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), again("12:05"), again("12:10"))
      .tells(told("12:06:20", "c", "m1"));
  });
});
