import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { type TopicId, product } from "../../services/domain/topics.ts";
import { MAX_TEXT } from "../../services/inboxes/bounds.ts";
import { memoryRegistry } from "../../services/platform/memory/registry.ts";
import { readTrace, type TraceRow } from "../../services/ops/trace/trace.ts";
import { traceScript } from "../../services/ops/trace/trace-script.ts";
import { avroCodec, registeredIds } from "../../services/platform/adapters/registry/codec.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { ensureTopics } from "../../services/platform/app/ensure-topics.ts";

/**
 * Publishes a recorded chat in place of the made-up load (../shared/peers/kafka-streams, `load.sh preload`). It takes
 * the same options as far as they apply and prints the same line of counts, so that the load's tools measure and check
 * the run. The whole recording lies within the span. Every author joins before the first message, and nobody is online:
 * the outcome does not depend on the order in which topics are read. An author has read the messages before their own.
 */
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    broker: { type: "string", default: "127.0.0.1:39092" },
    trace: { type: "string", default: "" },
    messages: { type: "string", default: "Infinity" },
    horizon: { type: "string", default: "120000" },
    span: { type: "string", default: "4000" },
    timeout: { type: "string", default: "5000" },
    meta: { type: "string", default: "meta.json" },
  },
});
const [messages, horizon, span, timeout] = [values.messages, values.horizon, values.span, values.timeout].map(Number);
const PARTITIONS = 8;
/** Records published in one call. */
const AT_ONCE = 5_000;
/** Milliseconds before the first message: of profiles, and of members. */
const KNOWN = 9_000;
const JOINED = 8_000;

const begun = Date.now();
const base = begun + (horizon ?? 0);
const rows: TraceRow[] = [];
for await (const row of readTrace(values.trace)) if (rows.push(row) >= (messages ?? Infinity)) break;
const [first, last] = [rows[0]?.at ?? 0, rows.at(-1)?.at ?? 0];
const script = traceScript((at) => base + Math.floor(((at - first) / (last - first + 1)) * (span ?? 0)));

/** A record with its time as the tools expect it; null: left out. */
const loaded = (said: NewRecord): NewRecord | null => {
  if (said.value === null) return null;
  switch (said.topic) {
    case "users": {
      const name = `Person ${Number(said.key.slice(1))}`; // the load's tools know a recipient by this name
      return { ...said, value: { ...said.value, name, occurredAt: base - KNOWN }, timestamp: base - KNOWN };
    }
    case "participants":
      return { ...said, value: { ...said.value, occurredAt: base - JOINED }, timestamp: base - JOINED };
    case "presence": {
      const { type, occurredAt: timestamp } = said.value;
      return type === "READ" ? { ...said, value: { ...said.value, readUntil: timestamp }, timestamp } : null;
    }
    case "messages": {
      const text = said.value.text.slice(0, MAX_TEXT); // a snapshot cuts longer text, and the peer does not
      return { ...said, value: { ...said.value, text }, timestamp: said.value.occurredAt };
    }
    default:
      return null;
  }
};

const records = [...rows.flatMap((row) => script.take(row)), ...script.end()].flatMap((said) => loaded(said) ?? []);
const counts: Partial<Record<TopicId, number>> = {};
const members = new Map<string, number>();
for (const { topic, key } of records) {
  counts[topic] = (counts[topic] ?? 0) + 1;
  if (topic === "participants") members.set(key, (members.get(key) ?? 0) + 1);
}
const fanout = records.reduce(
  (sum, { topic, key }) => sum + (topic === "messages" ? (members.get(key) ?? 1) - 1 : 0),
  0,
);

await using log = openKafka(product, { brokers: [values.broker], clientId: "trace-load", prefix: "", tls: false });
const registry = memoryRegistry();
await ensureTopics(product, log, registry, "", PARTITIONS, 1);
const codec = avroCodec(product, registry, await registeredIds(product, registry, ""));
for (let at = 0; at < records.length; at += AT_ONCE) await publish(log, codec, records.slice(at, at + AT_ONCE));

const { users, participants, presence } = counts;
const written = { users, participants, presence, messages: counts.messages, fanout, bytes: 0 };
const seconds = (Date.now() - begun) / SECOND;
const meta = `${JSON.stringify({ mode: "preload", base, span, timeout, ...written, seconds })}\n`;
writeFileSync(values.meta, meta);
process.stdout.write(meta);
