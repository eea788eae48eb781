import { appendFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import kafkajs from "kafkajs";
import { startStack } from "../../deploy/local/stack.ts";
import { conversations } from "../../services/conversations/rule.ts";
import type { Clock, Codec } from "../../services/core/ports.ts";
import { DEFAULT_ROLE, noSettings, parseSettings } from "../../services/core/settings.ts";
import { SECOND } from "../../services/core/time.ts";
import { type TopicId, topics } from "../../services/core/topics.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { memoryRegistry } from "../../services/memory/registry.ts";
import { revisionOf } from "../../services/ops/revise.ts";
import { avroType } from "../../services/runtime/avro.ts";
import { bell } from "../../services/runtime/bell.ts";
import { avroCodec, registeredIds, schemaOf } from "../../services/runtime/codec.ts";
import { startEngine, type World } from "../../services/runtime/engine.ts";
import { listen } from "../../services/runtime/facts.ts";
import { weighBuffersWithHeap } from "../../services/runtime/heap.ts";
import { openKafka } from "../../services/runtime/kafka.ts";
import { loop } from "../../services/runtime/loop.ts";
import { openMetrics } from "../../services/runtime/metrics.ts";
import { migrate } from "../../services/runtime/migrations.ts";
import { openDatabase } from "../../services/runtime/postgres.ts";
import { say } from "../../services/runtime/producer.ts";
import { relay } from "../../services/runtime/relay.ts";
import { postgresStore } from "../../services/runtime/store.ts";
import { ensureTopics } from "../../services/runtime/topics.ts";
import { RAW } from "./summary.ts";

/**
 * Our pipeline in the peer's place (../shared/peers/kafka-streams/bench.sh, PROCESSOR): conversations, inboxes and their
 * relay in one process, with a PostgreSQL of their own as its child. Arguments: BROKER STATE_DIR -Dtimeout=MS
 * -Dprogress=FILE.
 */
const [, , broker = "", state = "", ...options] = process.argv;
const option = (name: string): string | undefined =>
  options.find((one) => one.startsWith(`-D${name}=`))?.slice(name.length + 3);
const timeout = Number(option("timeout") ?? 5_000);
const progress = option("progress");
const PARTITIONS = 8;
/** The consumer group whose committed offsets the load's tools look at. */
const GROUP = "peer";
const INPUTS: readonly TopicId[] = ["users", "participants", "presence", "messages"];
const REPORT_EVERY = 100;
/** Milliseconds to stop in. */
const PATIENCE = 10_000;
/** Bytes before each value: the load has no registry, and whoever reads it skips them. */
const PREFIX = 5;

weighBuffersWithHeap();
await using stack = await startStack({
  dataDir: state,
  cacheDir: join(homedir(), ".cache/whileaway"),
  environment: { ...process.env, KAFKA_BROKERS: broker, SCHEMA_REGISTRY_URL: "http://127.0.0.1:1" },
  say: (line) => console.log(line),
});
await migrate(stack.postgres);
await using database = openDatabase(stack.postgres, "whileaway bench");
await using log = openKafka({ brokers: [broker], clientId: "bench", prefix: "", tls: false });
using _metrics = openMetrics();

const registry = memoryRegistry();
await ensureTopics(log, registry, "", PARTITIONS, 1);
const own = avroCodec(registry, await registeredIds(registry, ""));
/** Whether the engines have taken anything: from there on their work counts, not from their first commit. */
let hasBegun = false;
const chat = new Map(INPUTS.map((topic) => [topic, avroType(schemaOf(topic))]));
const codec: Codec = {
  ...own,
  prepare: (records) => own.prepare(records.filter(({ topic }) => !chat.has(topic))),
  decode(topic, value) {
    const type = chat.get(topic);
    hasBegun = true;
    return type === undefined
      ? own.decode(topic, value)
      : (type.fromBuffer(Buffer.from(value.buffer, value.byteOffset + PREFIX, value.byteLength - PREFIX)) as unknown);
  },
};
const settings = parseSettings({
  timeout: timeout / SECOND,
  settle: 0,
  cooldown: { first: 0, factor: 1, max: 0 },
});
await say(log, codec, [{ ...revisionOf(DEFAULT_ROLE, settings, 1, 1), timestamp: 1 }]);

const store = postgresStore(database);
/**
 * A load that is dated ahead, so that nothing is due before it is drained, we would not fold before its time: the log's
 * time is what we go by. So our clock stands at its last record until the world's comes there, and goes on with that: what
 * is due then comes when it is due, as the peer's does. It stops when all is due, however long it takes to tell:
 * sessions that the load leaves open would lapse, of which the peer knows nothing.
 */
let latest = 0;
const raw = { records: 0, began: performance.now() };
for await (const records of log.scan(INPUTS))
  for (const { topic, value, timestamp } of records) {
    if (value !== null) codec.decode(topic, value);
    raw.records++;
    if (topic === "presence" || topic === "messages") latest = Math.max(latest, timestamp);
  }
console.log(JSON.stringify({ [RAW]: raw.records / ((performance.now() - raw.began) / SECOND) }));
hasBegun = false;
const clock: Clock = { now: () => Math.min(Math.max(Date.now(), latest + 1), latest + timeout + SECOND) };
const world: World = { log, store, codec, clock, relay: relay(log, store), bell: bell() };

const done = { in: 0, fanout: 0, out: 0 };
let folded = 0;
/** Counts recipients as they are folded; a batch that is folded anew would count twice, and no row of these lacks. */
const counting: typeof inboxes = {
  ...inboxes,
  fold(event, rows, given) {
    if (event.type === "entry" && event.entry.type === "CANDIDATE") folded++;
    return inboxes.fold(event, rows, given);
  },
};
using _committed = listen("committed", ({ records, outbox }) => {
  for (const topic of INPUTS) done.in += records.get(topic) ?? 0;
  done.fanout = folded;
  done.out += outbox.get("notifications") ?? 0;
});

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    stop.abort();
    // The broker may be gone by then: nothing is lost that anybody will miss.
    setTimeout(() => process.exit(1), PATIENCE).unref();
  });
await using conversing = await startEngine(conversations, () => undefined, world);
await using telling = await startEngine(counting, () => noSettings, world);
const running = [
  loop(conversing, clock, stop.signal),
  loop(telling, clock, stop.signal),
  loop({ name: "relay", ...world.relay, nextDue: () => null }, clock, stop.signal),
];
for (const one of running)
  one.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });

/** What the load's tools want to know: how far we are, and where. */
const kafka = new kafkajs.Kafka({ brokers: [broker], clientId: "bench-tools", logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
let said = "";
setInterval(() => {
  const text = JSON.stringify({ ...done, in: Math.max(done.in, hasBegun ? 1 : 0) });
  if (text === said || progress === undefined) return;
  said = text;
  appendFileSync(progress, `{"t":${Date.now()},${text.slice(1)}\n`);
}, REPORT_EVERY).unref();
let committed = "";
while (!stop.signal.aborted) {
  await delay(REPORT_EVERY);
  const lanes = (await Promise.all([conversations, inboxes].map(({ name }) => store.progress(name, "inbox")))).flat();
  const cursors = new Map(lanes.flatMap((lane) => Object.entries(lane.cursors)));
  const offsetsOf = (topic: TopicId) =>
    Array.from({ length: PARTITIONS }, (_none, partition) => ({
      partition,
      offset: String(cursors.get(`${topic}/${partition}`) ?? 0),
    }));
  const all = INPUTS.map((topic) => ({ groupId: GROUP, topic: topics[topic].name, partitions: offsetsOf(topic) }));
  if (JSON.stringify(all) === committed) continue;
  for (const offsets of all) await admin.setOffsets(offsets); // one at a time: each is a member of the group while it lasts
  committed = JSON.stringify(all);
}
await Promise.allSettled(running);
await admin.disconnect();
