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

/** What one process of the pipeline is told, as JSON in its one argument. */
export interface Task {
  readonly processor: "conversations" | "inboxes";
  readonly broker: string;
  readonly postgres: string;
  /** Milliseconds: the load's last record, and the time offline after which its users are told. */
  readonly latest: number;
  readonly timeout: number;
}

/** What it tells of itself, again and again: input records taken, recipient updates folded, notifications decided. */
export interface Done {
  readonly in: number;
  readonly fanout: number;
  readonly out: number;
}

const REPORT_EVERY = 100;
/** Milliseconds to stop in. */
const PATIENCE = 10_000;

weighBuffersWithHeap();
const { processor, broker, postgres, latest, timeout } = JSON.parse(process.argv[2] ?? "") as Task;
await using database = openDatabase(postgres, `whileaway bench ${processor}`);
await using log = openKafka(product, { brokers: [broker], clientId: `bench-${processor}`, prefix: "", tls: false });
using _metrics = openMetrics(product.counters);

const own = await loadCodec(log);
/** Whether the engine has taken anything: from there on its work counts, not from its first commit. */
let hasBegun = false;
const codec: Codec = {
  ...own,
  decode(topic, value) {
    hasBegun = true;
    return own.decode(topic, value);
  },
};
/**
 * A load that is dated ahead, so that nothing is due before it is drained, we would not fold before its time: the log's
 * time is what we go by. So our clock stands at its last record until the world's comes there, and goes on with that: what
 * is due then comes when it is due, as the peer's does. It stops when all is due, however long it takes to tell:
 * sessions that the load leaves open would lapse, of which the peer knows nothing.
 */
const clock: Clock = { now: () => Math.min(Math.max(Date.now(), latest + 1), latest + timeout + SECOND) };
const store = postgresStore(database);
const world: World = { product, log, store, codec, clock, relay: relay(log, store), wakeups: wakeups() };

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
  // The broker may be gone by then: nothing is lost that anybody will miss.
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
