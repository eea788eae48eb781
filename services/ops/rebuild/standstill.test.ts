import { expect, test } from "vitest";
import { memoryLog } from "../../platform/memory/log.ts";
import { stillLog } from "./standstill.ts";

const said = (topic: "messages" | "inbox", value: string) => ({
  topic,
  partition: 0,
  key: "c",
  value: Buffer.from(value),
});

test("a stopped log ends the chat's topics for its readers; other topics go on", async () => {
  const log = memoryLog({ now: () => 0 }, 1);
  const still = stillLog(log);
  await using member = await still.log.subscribe("readers", ["messages", "inbox"], 1);
  for (const place of member.assigned()) member.seek(place, null);
  const take = () =>
    member.take(10).map(({ records, next }) => [records.map(({ value }) => String(value)).join(), next] as const);
  await log.publish([said("messages", "a")]);
  expect(take()).toEqual([["a", 1]]);
  await log.publish([said("messages", "b")]);
  await still.stop();
  await log.publish([said("messages", "c"), said("inbox", "d")]);
  expect(
    await still.log.offsets([
      { topic: "messages", partition: 0 },
      { topic: "inbox", partition: 0 },
    ]),
  ).toEqual([
    { low: 0, high: 2 },
    { low: 0, high: 1 },
  ]);
  expect(take()).toEqual([
    ["b", 2],
    ["d", 1],
  ]);
  await log.publish([said("messages", "e")]);
  expect(take()).toEqual([]);
  expect([...still.cut()]).toEqual([]);
});

test("a chat's topic without its first record is reported as cut, with its first time", async () => {
  const log = memoryLog({ now: () => 0 }, 1);
  const still = stillLog(log);
  await using member = await still.log.subscribe("readers", ["messages", "users", "inbox"], 1);
  for (const place of member.assigned()) member.seek(place, 1); // retention has deleted the first record
  const record = (topic: "messages" | "users" | "inbox", timestamp: number) =>
    ({ topic, partition: 0, key: "c", value: Buffer.from(""), timestamp }) as const;
  await log.publish((["messages", "users", "inbox"] as const).flatMap((topic) => [record(topic, 5), record(topic, 7)]));
  member.take(10);
  expect([...still.cut()]).toEqual([["messages", 7]]);
});
