import type { Settlement } from "../contract/ports.ts";
import { channel, type Channel } from "node:diagnostics_channel";
import type { Lane } from "../contract/lane.ts";
import type { Millis } from "../contract/time.ts";
import type { TopicId } from "../contract/topic.ts";

/** Facts that loops announce. Logs, metrics and tests listen; a loop imports none of these listeners. */
export interface Facts {
  /** An engine has claimed lanes. */
  readonly claimed: { readonly processor: string; readonly lanes: readonly Lane[] };
  /** A batch is in the store. Durations in milliseconds. */
  readonly committed: {
    readonly processor: string;
    /** Records taken, by topic. */
    readonly records: ReadonlyMap<TopicId, number>;
    readonly events: number;
    readonly timers: number;
    readonly rows: number;
    /** Records to be published, by topic. */
    readonly outbox: ReadonlyMap<TopicId, number>;
    readonly jobs: number;
    /** Amounts by which it raises the product's counters, by name. */
    readonly counts: Readonly<Record<string, number>>;
    readonly duration: number;
    /** Records on the log and not yet taken, as last seen. */
    readonly lag: number;
  };
  /** A commit was refused: another process has claimed a lane by now. */
  readonly fenced: { readonly processor: string };
  /** The processor cannot take a record. */
  readonly deadLetter: {
    readonly processor: string;
    readonly topic: TopicId;
    readonly partition: number;
    readonly offset: number;
    readonly reason: string;
  };
  /** The rule failed over a timer of the row, or over its effect: the timer is put off. */
  readonly stuck: {
    readonly processor: string;
    readonly lane: Lane;
    readonly key: string;
    readonly at: Millis;
    readonly reason: string;
  };
  /**
   * A time of the record was `by` milliseconds too late, and was clamped: its own time to its Kafka timestamp, and that to
   * its arrival.
   */
  readonly clamped: {
    readonly topic: TopicId;
    readonly partition: number;
    readonly offset: number;
    readonly by: number;
  };
  /** The relay has published records of a topic. */
  readonly published: { readonly topic: TopicId; readonly records: number };
  /** An attempt at a job has ended. */
  readonly attempted: {
    readonly queue: string;
    readonly id: string;
    readonly attempt: number;
    readonly outcome: Settlement["state"] | "lost";
    readonly duration: number;
    readonly error?: string;
    /** The worker's details: an address, an endpoint, a status. */
    readonly detail: Readonly<Record<string, unknown>>;
  };
  /** A loop met a transient failure, and tries again after `wait` milliseconds. */
  readonly stumbled: { readonly loop: string; readonly error: Error; readonly wait: number };
  /** A loop ended by a fatal failure. */
  readonly fell: { readonly loop: string; readonly error: Error };
}

const channels = new Map<keyof Facts, Channel>();

const channelOf = (fact: keyof Facts): Channel => {
  const found = channels.get(fact) ?? channel(`whileaway:${fact}`);
  channels.set(fact, found);
  return found;
};

/** Announces a fact. It costs next to nothing while nobody listens. */
export const announce = <F extends keyof Facts>(fact: F, details: Facts[F]): void => {
  const found = channelOf(fact);
  if (found.hasSubscribers) found.publish(details);
};

/** Calls `hear` for each fact of the kind until disposed of. */
export const listen = <F extends keyof Facts>(fact: F, hear: (details: Facts[F]) => void): Disposable => {
  const found = channelOf(fact);
  const onMessage = (details: unknown): void => hear(details as Facts[F]);
  found.subscribe(onMessage);
  return {
    [Symbol.dispose]() {
      found.unsubscribe(onMessage);
    },
  };
};
