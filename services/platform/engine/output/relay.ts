import type { Log, OutboxEntry, Outgoing, Store } from "../../contract/ports.ts";
import type { Millis } from "../../contract/time.ts";
import { isLaneStream, SEQUENCE_HEADER, STREAM_HEADER } from "../../contract/stream.ts";
import type { TopicId } from "../../contract/topic.ts";
import { announce } from "../../runtime/facts.ts";
import { scaledToHeap } from "../../runtime/memory-limits.ts";
import { countByTopic } from "./outbox.ts";
import { passFailpoint } from "../../runtime/failpoints.ts";

/** Entries that are put on the log in one go. */
const PUBLISH_LIMIT = 2_000;
/** Entries that may wait in memory, and their bytes; with more, their writers must wait (`room`). */
const MAX_BACKLOG = scaledToHeap(20_000);
const MAX_BACKLOG_BYTES = scaledToHeap(256 * 1024 * 1024);

/**
 * The relay: publishes committed outbox entries, in order within a stream, at least once. Entries are handed over in
 * memory right after their commit, or found in the store (`recover`) where their process died before it published them.
 */
export interface Relay {
  /** Takes over committed entries, in the order of their sequence within each stream. */
  offer(entries: readonly OutboxEntry[]): void;
  /** Offers the entries that earlier owners of these lanes left unpublished. */
  recover(streams: readonly string[]): Promise<void>;
  /** Offers the entries of a queue's stream that were saved before `before` and never published. */
  sweep(stream: string, before: Millis): Promise<void>;
  /** Publishes waiting entries; false where none waits. Throws Transient, and keeps the entries that it could not publish. */
  step(): Promise<boolean>;
  /** Sequence number of the first entry of the stream that waits to be published to the topic; null where none does. */
  first(stream: string, topic: TopicId): number | null;
  readonly backlog: () => number;
  readonly room: () => boolean;
  /** Resolves when there is something to publish or the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
}

export const relay = (log: Log, store: Store): Relay => {
  let waiting: OutboxEntry[] = [];
  let bytes = 0;
  let done: OutboxEntry[] = [];
  let wake: () => void = () => undefined;
  const offered = new Map<string, number>();
  /** Entries that wait, or are published and not yet deleted in the store: a sweep finds them again. */
  const queued = new Set<string>();

  const offer = (entries: readonly OutboxEntry[]): void => {
    for (const entry of entries) {
      if (isLaneStream(entry.stream)) {
        if (entry.sequence <= (offered.get(entry.stream) ?? 0)) continue;
        offered.set(entry.stream, entry.sequence);
      }
      if (queued.has(entryName(entry))) continue;
      queued.add(entryName(entry));
      waiting.push(entry);
      bytes += entry.value.length;
    }
    wake();
  };

  return {
    offer,
    async recover(streams) {
      offer(await store.unpublished(streams));
    },
    async sweep(stream, before) {
      if (waiting.length >= MAX_BACKLOG) return;
      offer(await store.unpublished([stream], { limit: PUBLISH_LIMIT, before }));
    },
    async step() {
      const batch = waiting.slice(0, PUBLISH_LIMIT);
      if (batch.length === 0 && done.length === 0) return false;
      if (batch.length > 0) {
        await log.publish(batch.map(outgoing));
        passFailpoint("published");
      }
      waiting = waiting.slice(batch.length);
      for (const { value } of batch) bytes -= value.length;
      done = [...done, ...batch];
      await store.published(done);
      for (const entry of done) queued.delete(entryName(entry));
      done = [];
      for (const [topic, records] of countByTopic(batch)) announce("published", { topic, records });
      return true;
    },
    first: (stream, topic) =>
      waiting.find((entry) => entry.stream === stream && entry.topic === topic)?.sequence ?? null,
    backlog: () => waiting.length,
    room: () => waiting.length < MAX_BACKLOG && bytes < MAX_BACKLOG_BYTES,
    arrival: (signal) =>
      new Promise((resolve) => {
        if (waiting.length > 0 || signal.aborted) return resolve();
        wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
};

const entryName = ({ stream, sequence }: OutboxEntry): string => `${stream} ${sequence}`;

const outgoing = ({ topic, partition, key, value, stream, sequence }: OutboxEntry): Outgoing => ({
  topic,
  key,
  value,
  ...(partition === null ? {} : { partition }),
  ...(isLaneStream(stream) ? { headers: { [STREAM_HEADER]: stream, [SEQUENCE_HEADER]: String(sequence) } } : {}),
});
