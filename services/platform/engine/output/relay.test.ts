import { expect, test } from "vitest";
import type { OutboxEntry } from "../../contract/ports.ts";
import { laneStream } from "../../contract/stream.ts";
import { memoryLog } from "../../memory/log.ts";
import { memoryStore } from "../../memory/store.ts";
import { relay } from "./relay.ts";

const made = () => {
  const log = memoryLog({ now: () => 0 }, 1);
  return {
    log,
    it: relay(
      log,
      memoryStore(() => 0),
    ),
  };
};
const entriesOf = (values: readonly Uint8Array[]): readonly OutboxEntry[] =>
  values.map((value, index) => {
    const where = { topic: "notifications", key: "ada", partition: 0 } as const;
    return { stream: laneStream("inboxes", 0), sequence: index + 1, ...where, value };
  });

test("entries of one stream are on the log in the order of their numbers, however many go at once", async () => {
  const { log, it } = made();
  const entries = entriesOf(Array.from({ length: 50 }, (_none, index) => new Uint8Array([index])));
  it.offer(entries);
  while (await it.step());
  const found: (number | undefined)[] = [];
  for await (const records of log.scan(["notifications"])) for (const { value } of records) found.push(value?.[0]);
  expect(found).toEqual(entries.map(({ value }) => value[0]));
});

test("who has too much to publish must wait, few large entries as well as many small ones", async () => {
  const cases = [
    { count: 20_000, bytes: 1 },
    { count: 256, bytes: 1024 * 1024 },
  ];
  for (const { count, bytes } of cases) {
    const value = new Uint8Array(bytes);
    const values = Array.from({ length: count }, () => value);
    const { it } = made();
    it.offer(entriesOf(values.slice(1)));
    expect(it.room()).toBe(true);
    it.offer(entriesOf(values));
    expect(it.room()).toBe(false);
    while (await it.step());
    expect(it.room()).toBe(true);
  }
});
