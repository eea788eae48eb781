import { expect, test } from "vitest";
import type { LogRecord, NewRecord } from "../../domain/log-record.ts";
import { parseSettings } from "../../domain/role-settings.ts";
import { at, message, participant, presence, user } from "../../../test/support/chat.ts";
import { compared, outcomeOf } from "./compare.ts";

const logged = ({ topic, key, value }: NewRecord): LogRecord => {
  const own = (value as { readonly occurredAt: number }).occurredAt;
  return { topic, key, value, at: own, loggedAt: own } as LogRecord;
};

const beginning = [user("ada", "11:00"), participant("c", "ada", "11:00"), participant("c", "bob", "11:00")];

const both = async (from: string, to: string, other: object, ...said: readonly NewRecord[]) => {
  async function* source(): AsyncGenerator<readonly LogRecord[]> {
    for (const one of [...beginning, ...said]) yield [logged(one)];
  }
  const stretch = { from: at(from), to: at(to) };
  const roles = new Map([["default", parseSettings(other)]]);
  return compared(await outcomeOf(source(), stretch, new Map()), await outcomeOf(source(), stretch, roles));
};

const bobWrites = message("c", "bob", "m1", "12:00");

test("the waiting time counts from the sending of the first missed message", async () => {
  const { today, other } = await both("11:00", "13:00", { timeout: 600 }, bobWrites);
  expect([today.notifications, other.notifications]).toEqual([1, 1]);
  expect(today.waited.mean).toBe(300);
  expect(other.waited.mean).toBe(600);
  expect(today.waited.p99).toBeCloseTo(300, -1);
});

test("a notification outside the stretch is decided but not counted", async () => {
  const { today, other } = await both("12:06", "13:00", { timeout: 600 }, bobWrites);
  expect([today.notifications, other.notifications]).toEqual([0, 1]);
});

test("a message counts as read anyway if its recipient reads it within 15 minutes after the notification", async () => {
  const reads = (clock: string) => presence("ada", "READ", clock, { conversationId: "c" });
  const soon = await both("11:00", "13:00", {}, bobWrites, reads("12:20"));
  expect([soon.today.messages, soon.today.readAnyway]).toEqual([1, 1]);
  const late = await both("11:00", "13:00", {}, bobWrites, reads("12:20:01"));
  expect([late.today.messages, late.today.readAnyway]).toEqual([1, 0]);
  const twice = await both("11:00", "13:00", {}, bobWrites, reads("12:06"), reads("12:07"));
  expect(twice.today.readAnyway).toBe(1);
});

test("a recipient who writes in the conversation has read the message; one who read up to before it has not", async () => {
  const answers = await both("11:00", "13:00", {}, bobWrites, message("c", "ada", "m2", "12:10"));
  expect(answers.today.readAnyway).toBe(1);
  const before = presence("ada", "READ", "12:10", { conversationId: "c", readUntil: at("11:59") });
  expect((await both("11:00", "13:00", {}, bobWrites, before)).today.readAnyway).toBe(0);
});

test("a mail counts for each address, and none where the role has mail turned off", async () => {
  const two = user("ada", "11:30", { emails: ["ada@example.org", "ada@example.net"] });
  const { today, other } = await both("11:00", "13:00", { emailEnabled: false }, two, bobWrites);
  expect([today.mails, other.mails]).toEqual([2, 0]);
  expect([today.notifications, other.notifications]).toEqual([1, 1]);
});
