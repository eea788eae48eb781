import type { LedgerRecord, NotificationEvent } from "../../services/domain/records.ts";
import { expect, test } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { laneOf } from "../../services/platform/contract/lane.ts";
import { noSettings } from "../../services/domain/role-settings.ts";
import { mailer } from "../../services/mailer/rule.ts";
import { listen } from "../../services/platform/runtime/facts.ts";
import { at, conversation, message, participant, presence, user } from "../support/chat.ts";
import { wholeTopology } from "../support/memory.ts";
import { settingsSaid } from "../support/settings.ts";

test("a message to someone away is told after the timeout, with the content of the mail", async () => {
  await using chat = await wholeTopology();
  await chat.advance(at("12:00"));
  await chat.publish(
    user("ada", "12:00", { name: "Ada" }),
    user("bob", "12:00", { name: "Bob" }),
    conversation("c", "12:00", { subject: "Launch" }),
    participant("c", "ada", "12:00"),
    participant("c", "bob", "12:00"),
  );
  await chat.advance(at("12:01"));
  await chat.publish(message("c", "bob", "m1", "12:01"), message("c", "bob", "m2", "12:01"));
  await chat.advance(at("12:05:59"));
  expect(chat.values("notifications") as readonly NotificationEvent[]).toEqual([]);
  await chat.advance(at("12:06"));
  const [told] = chat.values("notifications") as readonly NotificationEvent[];
  expect(told).toMatchObject({
    type: "TRIGGERED",
    userId: "ada",
    conversationId: "c",
    messageIds: ["m1", "m2"],
    occurredAt: at("12:06"),
  });
  expect(told?.snapshot?.conversations[0]).toMatchObject({ subject: "Launch", access: "READ_WRITE", omitted: 0 });
  expect(told?.snapshot?.conversations[0]?.messages.map(({ text, sender }) => [sender?.name, text])).toEqual([
    ["Bob", "text of m1"],
    ["Bob", "text of m2"],
  ]);
  await chat.advance(at("23:00"));
  expect(chat.values("notifications") as readonly NotificationEvent[]).toHaveLength(1);
});

test("nobody is told of messages that they have read, or while they are online", async () => {
  await using chat = await wholeTopology();
  await chat.advance(at("12:00"));
  await chat.publish(
    participant("c", "ada", "12:00"),
    participant("c", "bob", "12:00"),
    participant("c", "eve", "12:00"),
  );
  await chat.advance(at("12:01"));
  await chat.publish(message("c", "bob", "m1", "12:01"), presence("eve", "ONLINE", "12:01"));
  await chat.advance(at("12:01:40"));
  await chat.publish(presence("eve", "OFFLINE", "12:01:40"));
  await chat.advance(at("12:02"));
  await chat.publish(presence("ada", "READ", "12:02", { conversationId: "c" }));
  await chat.advance(at("12:06:39"));
  expect(chat.values("notifications") as readonly NotificationEvent[]).toEqual([]);
  await chat.advance(at("12:06:40"));
  expect((chat.values("notifications") as readonly NotificationEvent[]).map(({ userId }) => userId)).toEqual(["eve"]);
});

test("a change of settings that changes no due time fires no timer", async () => {
  await using chat = await wholeTopology();
  await chat.advance(at("12:00"));
  await chat.publish(participant("c", "ada", "12:00"), participant("c", "bob", "12:00"));
  await chat.publish(message("c", "bob", "m1", "12:00"), presence("ada", "READ", "12:00", { conversationId: "c" }));
  await chat.advance(at("12:01"));
  const due = () => chat.world.store.nextDue("inboxes", [0, 1, 2, 3, 4, 5, 6, 7]);
  const before = await due();
  expect(before).toBeGreaterThan(at("23:00")); // the time at which read messages may be forgotten
  await chat.publish(settingsSaid({ timeout: 60 }, at("12:02")));
  await chat.advance(at("12:03"));
  expect(await due()).toBe(before);
});

test("a backlog with more timers due than one transaction takes is told whole, each as of its own time", async () => {
  await using chat = await wholeTopology({ timeout: 300 }, undefined, at("00:20"));
  let [most, transactions] = [0, 0];
  using _ = listen("committed", ({ processor, timers }) => {
    if (processor !== "inboxes" || timers === 0) return;
    most = Math.max(most, timers);
    transactions++;
  });
  const everybody = Array.from({ length: 2_100 }, (_none, index) => `user-${index}`);
  const logged = (time: string, some: readonly NewRecord[]): readonly NewRecord[] =>
    some.map((one) => ({ ...one, timestamp: at(time) }));
  const read = (time: string) => (one: string) => presence(one, "READ", time, { conversationId: "c" });
  await chat.publish(
    ...logged("00:00", [...everybody.map((one) => participant("c", one, "00:00")), message("c", "eve", "m1", "00:00")]),
    ...logged("00:04", everybody.slice(0, 100).map(read("00:04"))),
    // Between the last timer of the first transaction and the next timer.
    ...logged("00:05:30", [participant("d", "late", "00:05:30"), message("d", "eve", "m2", "00:05:30")]),
    ...logged("00:06", everybody.slice(100).map(read("00:06"))),
  );
  await chat.settle();
  const told = chat.values("notifications") as readonly NotificationEvent[];
  const wanted = [...everybody.slice(100).map((one) => `${one} ${at("00:05")}`), `late ${at("00:10:30")}`];
  const inShort = told.map(({ userId, occurredAt }) => `${userId} ${occurredAt}`);
  expect(inShort.toSorted()).toEqual(wanted.toSorted());
  const verdicts = (chat.values("ledger") as readonly LedgerRecord[]).flatMap(({ entries }) => entries);
  const twice = verdicts.filter(({ verdict, users }) => verdict === "CANDIDATE" && users.includes("late"));
  expect(twice).toHaveLength(1);
  expect(most).toBeLessThanOrEqual(2_000);
  expect(transactions).toBeGreaterThan(1);
});

test("a processor in order of arrival folds all arrived records as they come, however many", async () => {
  await using chat = await wholeTopology();
  await chat.process(mailer, () => noSettings);
  const everybody = Array.from({ length: 7_000 }, (_none, index) => `user-${index}`);
  await chat.publish(
    ...everybody.map((userId, index): NewRecord => {
      const value = { userId, unsubscribed: [], occurredAt: index };
      return { topic: "preferences", key: userId, value, timestamp: index };
    }),
  );
  await chat.settle();
  const lanes = await chat.log.partitions("notifications");
  const keys = everybody.map((key) => ({ lane: laneOf(key, lanes), key }));
  expect((await chat.world.store.load("mailer", keys)).filter((row) => row === undefined)).toEqual([]);
});
