import { product } from "../../services/domain/topics.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { NewRecord } from "../../services/domain/log-record.ts";
import type { MessageEvent } from "../../services/domain/records.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { loadCodec } from "./load-codec.ts";

/**
 * Adds a READ by the author for each imported message of the made-up load. The load avoids input that the two sides
 * judge differently, and sends such a READ with each message but the imported ones. By our rule any message of a user's
 * own counts as read by them (services/inboxes/README.md, "Missed", 6).
 */
const { values } = parseArgs({
  strict: false, // the fields of the load generator
  options: {
    broker: { type: "string", default: "127.0.0.1:39092" },
    meta: { type: "string", default: "meta.json" },
  },
});
const [broker, meta] = [String(values["broker"]), String(values["meta"])];
/** Records published in one call. */
const AT_ONCE = 5_000;

await using log = openKafka(product, { brokers: [broker], clientId: "read-imports", prefix: "", tls: false });
const codec = await loadCodec(log);
const reads: NewRecord[] = [];
for await (const records of log.scan(["messages"]))
  for (const { topic, value } of records) {
    const message = value === null ? null : (codec.decode(topic, value) as MessageEvent);
    if (message?.origin !== "IMPORT" || message.type !== "SENT" || message.senderId === null) continue;
    const { senderId: userId, conversationId, occurredAt } = message;
    const read = { type: "READ", userId, sessionId: "", conversationId, readUntil: occurredAt, occurredAt } as const;
    reads.push({ topic: "presence", key: userId, value: read, timestamp: occurredAt });
  }
for (let at = 0; at < reads.length; at += AT_ONCE) await publish(log, codec, reads.slice(at, at + AT_ONCE));

// The load's tools wait until as many records are taken.
const counts = JSON.parse(readFileSync(meta, "utf8")) as Readonly<Record<string, unknown>>;
writeFileSync(meta, `${JSON.stringify({ ...counts, presence: Number(counts["presence"]) + reads.length })}\n`);
