import { fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import kafkajs from "kafkajs";
import { startStack } from "../../deploy/local/stack.ts";
import { DEFAULT_ROLE, parseSettings } from "../../services/domain/role-settings.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { declared, product } from "../../services/domain/topics.ts";
import { revisionOf } from "../../services/ops/settings/revise.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { migrate } from "../../services/platform/adapters/postgres/migrations.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { INPUTS, loadCodec, PARTITIONS } from "./load-codec.ts";
import type { Done, Task } from "./processing.ts";
import { RAW } from "./summary.ts";

/**
 * Our pipeline in the peer's place (../shared/peers/kafka-streams/bench.sh, PROCESSOR): conversations and inboxes, each
 * in processes of its own with a relay, and a PostgreSQL of their own. Arguments: BROKER STATE_DIR -Dtimeout=MS
 * -Dprogress=FILE, and -Dprocesses=N of each.
 */
const [, , broker = "", state = "", ...options] = process.argv;
const option = (name: string): string | undefined =>
  options.find((one) => one.startsWith(`-D${name}=`))?.slice(name.length + 3);
const timeout = Number(option("timeout") ?? 5_000);
const processes = Number(option("processes") ?? 1);
const progress = option("progress");
/** The consumer group whose committed offsets the load's tools read. */
const GROUP = "peer";
const REPORT_EVERY = 100;
const PROCESSING = fileURLToPath(new URL("processing.ts", import.meta.url));

await using stack = await startStack({
  dataDir: state,
  cacheDir: join(homedir(), ".cache/whileaway"),
  environment: { ...process.env, KAFKA_BROKERS: broker, SCHEMA_REGISTRY_URL: "http://127.0.0.1:1" },
  say: (line) => console.log(line),
});
await migrate(stack.postgres);
await using database = openDatabase(stack.postgres, "whileaway bench");
await using log = openKafka(product, { brokers: [broker], clientId: "bench", prefix: "", tls: false });
const codec = await loadCodec(log);
const settings = parseSettings({
  timeout: timeout / SECOND,
  settle: 0,
  cooldown: { first: 0, factor: 1, max: 0 },
});
await publish(log, codec, [{ ...revisionOf(DEFAULT_ROLE, settings, 1, 1), timestamp: 1 }]);

let latest = 0;
const raw = { records: 0, began: performance.now() };
for await (const records of log.scan(INPUTS))
  for (const { topic, value, timestamp } of records) {
    if (value !== null) codec.decode(topic, value);
    raw.records++;
    if (topic === "presence" || topic === "messages") latest = Math.max(latest, timestamp);
  }
console.log(JSON.stringify({ [RAW]: raw.records / ((performance.now() - raw.began) / SECOND) }));

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());

/** The progress of each process so far. */
const reports: Done[] = [];
const run = async (processor: Task["processor"]): Promise<void> => {
  const task: Task = { processor, broker, postgres: stack.postgres, latest, timeout };
  const index = reports.push({ in: 0, fanout: 0, out: 0 }) - 1;
  const child = fork(PROCESSING, [JSON.stringify(task)]);
  child.on("message", (done: Done) => {
    reports[index] = done;
  });
  stop.signal.addEventListener("abort", () => child.kill("SIGTERM"));
  await once(child, "exit");
  stop.abort();
};
const running = Array.from({ length: processes }, () => [run("conversations"), run("inboxes")]).flat();

/** Our progress goes to the load's tools, in the file and by the group that they read. */
const sum = (field: keyof Done): number => reports.reduce((total, done) => total + done[field], 0);
const kafka = new kafkajs.Kafka({ brokers: [broker], clientId: "bench-tools", logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
const store = postgresStore(database);
let said = "";
setInterval(() => {
  const text = JSON.stringify({ in: sum("in"), fanout: sum("fanout"), out: sum("out") });
  if (text === said || progress === undefined) return;
  said = text;
  appendFileSync(progress, `{"t":${Date.now()},${text.slice(1)}\n`);
}, REPORT_EVERY).unref();
let committed = "";
while (!stop.signal.aborted) {
  await delay(REPORT_EVERY);
  const lanes = (await Promise.all(["conversations", "inboxes"].map((name) => store.progress(name, "inbox")))).flat();
  const cursors = new Map(lanes.flatMap((lane) => Object.entries(lane.cursors)));
  const offsetsOf = (topic: string) =>
    Array.from({ length: PARTITIONS }, (_none, partition) => ({
      partition,
      offset: String(cursors.get(`${topic}/${partition}`) ?? 0),
    }));
  const all = INPUTS.map((topic) => ({ groupId: GROUP, topic: declared(topic).name, partitions: offsetsOf(topic) }));
  if (JSON.stringify(all) === committed) continue;
  for (const offsets of all) await admin.setOffsets(offsets); // one at a time: each call joins the group while it lasts
  committed = JSON.stringify(all);
}
await Promise.allSettled(running);
await admin.disconnect();
