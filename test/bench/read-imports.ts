import { product } from "../../services/domain/topics.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { NewRecord } from "../../services/domain/log-record.ts";
import type { MessageEvent } from "../../services/domain/records.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { loadCodec } from "./load-codec.ts";

/**
 * A READ for each imported message of the made-up load, by who wrote it. The load keeps away from where readings of the rules
 * part, and says with each message that who wrote it has read; with imported ones it doesn't. By our page
 * (../shared/design/semantics.md, "Missed", 6) any message of one's own says so.
 */
const { values } = parseArgs({
  strict: false, // those of the load generator
  options: {
    broker: { type: "string", default: "127.0.0.1:39092" },
    meta: { type: "string", default: "meta.json" },
  },
});
const [broker, meta] = [String(values["broker"]), String(values["meta"])];
/** Records put on the log in one go. */
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
