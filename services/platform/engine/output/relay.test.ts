import { expect, test } from "vitest";
import type { OutboxEntry } from "../../contract/ports.ts";
import { laneStream } from "../../contract/stream.ts";
import { memoryLog } from "../../memory/log.ts";
import { memoryStore } from "../../memory/store.ts";
import { relay } from "./relay.ts";

const open = () => {
  const log = memoryLog({ now: () => 0 }, 1);
  return { log, publisher: relay(log, memoryStore()) };
};
const entriesOf = (values: readonly Uint8Array[]): readonly OutboxEntry[] =>
  values.map((value, index) => {
    const fields = { topic: "parcels", key: "a", partition: 0 } as const;
    return { stream: laneStream("packer", 0), sequence: index + 1, ...fields, value };
  });

test("entries of one stream are on the log in the order of their numbers, however many are offered at once", async () => {
  const { log, publisher } = open();
  const entries = entriesOf(Array.from({ length: 50 }, (_none, index) => new Uint8Array([index])));
  publisher.offer(entries);
  while (await publisher.step());
  const found: (number | undefined)[] = [];
  for await (const records of log.scan(["parcels"])) for (const { value } of records) found.push(value?.[0]);
  expect(found).toEqual(entries.map(({ value }) => value[0]));
});

test("the relay has no room while too many entries or too many bytes wait to be published", async () => {
  const cases = [
    { count: 20_000, bytes: 1 },
    { count: 256, bytes: 1024 * 1024 },
  ];
  for (const { count, bytes } of cases) {
    const value = new Uint8Array(bytes);
    const values = Array.from({ length: count }, () => value);
    const { publisher } = open();
    publisher.offer(entriesOf(values.slice(1)));
    expect(publisher.room()).toBe(true);
    publisher.offer(entriesOf(values));
    expect(publisher.room()).toBe(false);
    while (await publisher.step());
    expect(publisher.room()).toBe(true);
  }
});
