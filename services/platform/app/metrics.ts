import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Product } from "../contract/topic.ts";
import { listen } from "../runtime/facts.ts";

/** Upper bounds of the histograms' buckets, in seconds: from a commit's few milliseconds to a slow answer from outside. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The process's metrics in Prometheus's format, fed from the loops' facts until disposed of. */
export interface Metrics extends Disposable {
  readonly contentType: string;
  print(): Promise<string>;
}

/** Opens the metrics. @param counters help texts of the product's own counters, by name */
export const openMetrics = (counters: Product["counters"]): Metrics => {
  const registers = [new Registry()];
  const [registry] = registers;
  if (registry === undefined) throw new Error("no registry");
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({ name: `whileaway_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = (name: string, help: string, labelNames: readonly string[]) =>
    new Histogram({ name: `whileaway_${name}`, help, labelNames: [...labelNames], buckets: BUCKETS, registers });

  const records = counter("taken_total", "Records taken from the log", ["processor", "topic"]);
  const events = counter("events_total", "Events folded: an event of several keys counts for each", ["processor"]);
  const decided = counter("decided_total", "Records that commits put in the outbox", ["processor", "topic"]);
  const own = new Map(Object.entries(counters).map(([name, help]) => [name, counter(`${name}_total`, help, [])]));
  const timers = counter("timers_total", "Timers folded", ["processor"]);
  const commits = histogram("commit_seconds", "Time from reading a batch to its commit", ["processor"]);
  const lag = new Gauge({
    name: "whileaway_lag_records",
    help: "Records on the log and not yet taken, as last seen",
    labelNames: ["processor"],
    registers,
  });
  const published = counter("published_total", "Records published", ["topic"]);
  const dead = counter("dead_letters_total", "Records put with the dead letters", ["processor", "topic"]);
  const clamped = counter("clamped_total", "Records with a time later than the log allows, which was clamped", [
    "topic",
  ]);
  const fenced = counter("fenced_total", "Commits refused because another held a lane", ["processor"]);
  const attempts = histogram("attempt_seconds", "Attempts at jobs, with their calls to outside systems", [
    "queue",
    "outcome",
  ]);
  const stumbles = counter("stumbles_total", "Failures after which a loop went on", ["loop"]);

  const hearing = new DisposableStack();
  hearing.use(
    listen("committed", (fact) => {
      const { processor } = fact;
      for (const [topic, count] of fact.records) records.inc({ processor, topic }, count);
      for (const [topic, count] of fact.outbox) decided.inc({ processor, topic }, count);
      for (const [name, amount] of Object.entries(fact.counts)) own.get(name)?.inc(amount);
      events.inc({ processor }, fact.events);
      timers.inc({ processor }, fact.timers);
      commits.observe({ processor }, fact.duration / 1_000);
      lag.set({ processor }, fact.lag);
    }),
  );
  hearing.use(listen("published", ({ topic, records: count }) => published.inc({ topic }, count)));
  hearing.use(listen("deadLetter", ({ processor, topic }) => dead.inc({ processor, topic })));
  hearing.use(listen("clamped", ({ topic }) => clamped.inc({ topic })));
  hearing.use(listen("fenced", ({ processor }) => fenced.inc({ processor })));
  hearing.use(
    listen("attempted", ({ queue, outcome, duration }) => attempts.observe({ queue, outcome }, duration / 1_000)),
  );
  hearing.use(listen("stumbled", ({ loop }) => stumbles.inc({ loop })));

  return {
    contentType: registry.contentType,
    print: () => registry.metrics(),
    [Symbol.dispose]: () => hearing.dispose(),
  };
};
