import { expect, test } from "vitest";
import type { NewRecord } from "../../domain/log-record.ts";
import { SECOND } from "../../platform/contract/time.ts";
import type { TraceRow } from "./trace.ts";
import { traceScript } from "./trace-script.ts";

const wrote = (second: number, user: string, room = "r"): TraceRow => ({
  at: second * SECOND,
  room,
  user,
  length: 10,
  mentions: [],
  isForEveryone: false,
  replyTo: null,
  topic: "",
});

const played = (...rows: readonly TraceRow[]): readonly NewRecord[] => {
  const script = traceScript((at) => at);
  return [...rows.flatMap((row) => script.take(row)), ...script.end()];
};

const second = ({ value }: NewRecord): number => (value as { readonly occurredAt: number }).occurredAt / SECOND;
const briefly = (said: NewRecord): string =>
  [second(said), said.topic, (said.value as { readonly type?: string } | null)?.type ?? said.key].join(" ");

test("a user comes shortly before a message, and goes shortly after", () => {
  expect(played(wrote(100, "ada")).map(briefly)).toEqual([
    "98 users ada",
    "98 conversations r",
    "98 participants JOINED",
    "98 presence ONLINE",
    "100 presence READ",
    "100 messages SENT",
    "105 presence OFFLINE",
  ]);
});

test("a user who writes again soon has stayed; one who writes later comes anew", () => {
  const presence = played(wrote(100, "ada"), wrote(115, "ada"), wrote(200, "ada"))
    .filter(({ topic }) => topic === "presence")
    .map(briefly)
    .filter((text) => !text.endsWith("READ"));
  expect(presence).toEqual([
    "98 presence ONLINE",
    "115 presence HEARTBEAT",
    "120 presence OFFLINE",
    "198 presence ONLINE",
    "205 presence OFFLINE",
  ]);
});

test("records come in the order of their times, and few are kept back", () => {
  const script = traceScript((at) => at);
  let said = 0;
  let latest = 0;
  for (let index = 0; index < 500; index++) {
    for (const one of script.take(wrote(100 + index * 3, `u${(index * 7) % 23}`, `r${index % 5}`))) {
      expect(second(one)).toBeGreaterThanOrEqual(latest);
      latest = second(one);
      said++;
    }
    if (index > 10) expect(latest).toBeGreaterThan(100 + index * 3 - 25);
  }
  expect(said).toBeGreaterThan(1_000);
});
