import { expect, test } from "vitest";
import type { OutboxEntry } from "../core/ports.ts";
import { laneStream } from "../core/stream.ts";
import { memoryLog } from "../memory/log.ts";
import { memoryStore } from "../memory/store.ts";
import { relay } from "./relay.ts";

test("entries of one stream are on the log in the order of their numbers, however many go at once", async () => {
  const log = memoryLog({ now: () => 0 }, 1);
  const entries = Array.from({ length: 50 }, (_none, index): OutboxEntry => {
    const where = { topic: "notifications", key: "ada", partition: 0 } as const;
    return { stream: laneStream("inboxes", 0), sequence: index + 1, ...where, value: new Uint8Array([index]) };
  });
  const it = relay(
    log,
    memoryStore(() => 0),
  );
  it.offer(entries);
  while (await it.step());
  const found: (number | undefined)[] = [];
  for await (const records of log.scan(["notifications"])) for (const { value } of records) found.push(value?.[0]);
  expect(found).toEqual(entries.map(({ value }) => value[0]));
});
