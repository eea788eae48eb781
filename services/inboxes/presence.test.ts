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

/** ONLINE or HEARTBEAT every 30 s, from the first time to the last. */
const alive = (from: string, minutes: number, session = "tab", screen: string | null = null): readonly NewRecord[] =>
  Array.from({ length: minutes * 2 + 1 }, (_none, index) => {
    const [hour = 0, minute = 0] = from.split(":").map(Number);
    return heartbeat(`${hour}:${minute + Math.floor(index / 2)}:${index % 2 === 0 ? "00" : "30"}`, session, screen);
  });

describe("presence: a session", () => {
  test("keeps its user from being told while it lives", () => {
    byEvening.after(missed("m1", "12:01"), ...alive("12:02", 20)).tells(told("12:27", "c", "m1"));
    ada
      .after(missed("m1", "12:01"), ...alive("12:02", 20))
      .until("12:22")
      .tells();
  });

  test("that falls silent was there until its latest sign, and no longer", () => {
    byEvening.after(online("12:01"), missed("m1", "12:01:20")).tells(told("12:06:20", "c", "m1"));
    byEvening.after(missed("m1", "12:00:50"), online("12:01")).tells(told("12:06", "c", "m1"));
  });

  test("lives on with a sign at the last moment, and not with one after it", () => {
    byEvening.after(missed("m1", "12:01"), online("12:02"), heartbeat("12:02:45")).tells(told("12:07:45", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:02:46")).tells(told("12:07", "c", "m1"));
  });

  test("that says it ends was there until then", () => {
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:02:40")).tells(told("12:07:40", "c", "m1"));
  });

  test("that was never there, or has lapsed, can't end", () => {
    byEvening.after(missed("m1", "12:01"), offline("12:02")).tells(told("12:06", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), online("12:02"), offline("12:04")).tells(told("12:07", "c", "m1"));
    byEvening
      .after(missed("m1", "12:01"), online("12:02"), offline("12:02:10"), offline("12:02:20"))
      .tells(told("12:07:10", "c", "m1"));
  });

  test("whose signs come in the wrong order was there at the later one", () => {
    byEvening
      .after(missed("m1", "12:01"), heartbeat("12:02:30"), heartbeat("12:02"))
      .tells(told("12:07:30", "c", "m1"));
    byEvening.after(missed("m1", "12:01"), heartbeat("12:02:30"), offline("12:02")).tells(told("12:07:30", "c", "m1"));
  });
});

describe("presence: two sessions", () => {
  test("keep their user there until both have ended", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), online("12:02:10", "b"), offline("12:02:20", "a"))
      .tells(told("12:07:20", "c", "m1"));
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), ...alive("12:02", 5, "b"), offline("12:07:10", "b"))
      .tells(told("12:12:10", "c", "m1"));
  });

  test("may both lapse: the later sign counts", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02:20", "b"), online("12:02", "a"))
      .tells(told("12:07:20", "c", "m1"));
  });

  test("are told apart by id: one's end is not the other's", () => {
    byEvening
      .after(missed("m1", "12:01"), online("12:02", "a"), offline("12:02:05", "b"))
      .tells(told("12:07", "c", "m1"));
  });
});

describe("missed, 5: a message on the screen", () => {
  test("is not missed when the session goes on, or says that it ends", () => {
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:01:30", "tab", "c")).tells();
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), offline("12:01:30")).tells();
    byEvening.after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:01:30", "tab", "d")).tells();
  });

  test("is missed after all when the session falls silent, counted from when it came", () => {
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), missed("m2", "12:01:30"))
      .tells(told("12:06:20", "c", "m1", "m2"));
  });

  test("is missed from the latest sign on, seen before it", () => {
    byEvening
      .after(
        online("12:01", "tab", "c"),
        missed("m1", "12:01:20"),
        heartbeat("12:01:30", "tab", "c"),
        missed("m2", "12:01:40"),
      )
      .tells(told("12:06:40", "c", "m2"));
  });

  test("is missed where the next sign comes too late to belong to the one before", () => {
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), heartbeat("12:02", "tab", "c"), offline("12:02:10"))
      .tells(told("12:07:10", "c", "m1"));
  });

  test("of another conversation is missed, and so is one behind the latest sign's screen", () => {
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

  test("of one session is seen though another falls silent", () => {
    byEvening
      .after(online("12:01", "a", null), online("12:01", "b", "c"), missed("m1", "12:01:20"), offline("12:01:30", "b"))
      .tells();
  });

  test("of two sessions is seen when one of them goes on, whichever came first", () => {
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

  test("of two sessions is missed when both fall silent", () => {
    byEvening
      .after(online("12:01", "a", "c"), online("12:01:10", "b", "c"), missed("m1", "12:01:20"))
      .tells(told("12:06:20", "c", "m1"));
  });

  test("that was read, withdrawn or deleted with its user meanwhile is not given back", () => {
    const seen = [online("12:01", "tab", "c"), missed("m1", "12:01:20")];
    byEvening.after(...seen, reads("12:01:25")).tells();
    byEvening.after(...seen, withdrawn("m1", "12:01:25")).tells();
    byEvening.after(...seen, profile("12:01:22"), deletedUser("12:01:25"), profile("12:01:30")).tells();
  });

  test("is missed still where it was before, and is edited only now to mention who looks at it", () => {
    const again = missed("m1", "12:02:20", { sentAt: at("12:01"), mentioned: ["ada"] });
    ada
      .after(missed("m1", "12:01"), online("12:02", "tab", "c"))
      .on(again)
      .notes();
  });

  test("that was given back is told once", () => {
    const again = (clock: string) => missed("m1", clock, { sentAt: at("12:01:20") });
    byEvening
      .after(online("12:01", "tab", "c"), missed("m1", "12:01:20"), again("12:05"), again("12:10"))
      .tells(told("12:06:20", "c", "m1"));
  });
});
