import { product } from "../../services/domain/topics.ts";
import type { World } from "../../services/platform/engine/world.ts";
import { conversations } from "../../services/conversations/rule.ts";
import type { Clock, Codec } from "../../services/platform/contract/ports.ts";
import { SECOND } from "../../services/platform/contract/time.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { wakeups } from "../../services/platform/runtime/wakeups.ts";
import { startEngine } from "../../services/platform/engine/engine.ts";
import { listen } from "../../services/platform/runtime/facts.ts";
import { weighBuffersWithHeap } from "../../services/platform/runtime/memory-limits.ts";
import { openKafka } from "../../services/platform/adapters/kafka/log.ts";
import { loop } from "../../services/platform/runtime/loop.ts";
import { openMetrics } from "../../services/platform/app/metrics.ts";
import { openDatabase } from "../../services/platform/adapters/postgres/database.ts";
import { relay } from "../../services/platform/engine/output/relay.ts";
import { postgresStore } from "../../services/platform/adapters/postgres/store.ts";
import { INPUTS, loadCodec } from "./load-codec.ts";

/** The settings of one process of the pipeline, as JSON in its one argument. */
export interface Task {
  readonly processor: "conversations" | "inboxes";
  readonly broker: string;
  readonly postgres: string;
  /** Milliseconds: the time of the load's last record, and the time offline after which its users are told. */
  readonly latest: number;
  readonly timeout: number;
}

/**
 * The progress that a process reports again and again: input records taken, recipient updates folded, notifications
 * decided.
 */
export interface Done {
  readonly in: number;
  readonly fanout: number;
  readonly out: number;
}

const REPORT_EVERY = 100;
/** Milliseconds in which a process must stop. */
const PATIENCE = 10_000;

weighBuffersWithHeap();
const { processor, broker, postgres, latest, timeout } = JSON.parse(process.argv[2] ?? "") as Task;
await using database = openDatabase(postgres, `whileaway bench ${processor}`);
await using log = openKafka(product, { brokers: [broker], clientId: `bench-${processor}`, prefix: "", tls: false });
using _metrics = openMetrics(product.counters);

const own = await loadCodec(log);
/** Tells whether the engine has taken a record: its work counts from then on, not from its first commit. */
let hasBegun = false;
const codec: Codec = {
  ...own,
  decode(topic, value) {
    hasBegun = true;
    return own.decode(topic, value);
  },
};
/**
 * A clock that stands at the load's last record until the machine's clock comes there, and follows that afterwards. The
 * load is dated ahead, so that nothing is due before it is drained, and we fold nothing before its time. The run stops
 * when every notification that is due is decided: sessions that the load leaves open would lapse later, and the peer
 * knows no lapse.
 */
const clock: Clock = { now: () => Math.min(Math.max(Date.now(), latest + 1), latest + timeout + SECOND) };
const store = postgresStore(database);
const world: World = { product, log, store, codec, clock, relay: relay(log, store), wakeups: wakeups() };

const done = { in: 0, fanout: 0, out: 0 };
let folded = 0;
/**
 * Counts recipients as they are folded. A batch that is folded anew would count twice, but these batches miss no rows.
 */
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
let said = "";
setInterval(() => {
  const now: Done = { ...done, in: Math.max(done.in, hasBegun ? 1 : 0) };
  if (JSON.stringify(now) === said) return;
  said = JSON.stringify(now);
  process.send?.(now);
}, REPORT_EVERY).unref();

const stop = new AbortController();
const end = (): void => {
  stop.abort();
  // The broker may be gone by then, and the lost hint does no harm.
  setTimeout(() => process.exit(1), PATIENCE).unref();
};
for (const event of ["SIGTERM", "SIGINT", "disconnect"] as const) process.on(event, end);
await using engine = await (processor === "inboxes" ? startEngine(counting, world) : startEngine(conversations, world));
const running = [
  loop(engine, clock, stop.signal),
  loop({ name: "relay", ...world.relay, nextDue: () => null }, clock, stop.signal),
];
for (const one of running)
  one.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
await Promise.allSettled(running);
