import type { TopicId } from "../../platform/contract/topic.ts";
import type { DeadLetter } from "../../platform/contract/records.ts";
import type { Codec, Commit, OutboxEntry, Store } from "../../platform/contract/ports.ts";
import type { Millis } from "../../platform/contract/time.ts";

/** Limits of memory: names of rows, and bytes of entries. */
const MAX_ROWS = 2_000_000;
const MAX_BYTES = 256 * 1024 * 1024;

/** Topics that the live services write for readers other than each other. */
const said: readonly TopicId[] = ["notifications", "ledger", "deadLetters"];

/** An outbox entry for other readers, with the time of its decision. */
export interface RecentEntry {
  readonly at: Millis;
  readonly entry: OutboxEntry;
}

/**
 * Rows and entries that a rebuild has written for times after the live services' watermark, so that live can't have them
 * yet. Their number is bounded by the events of the time by which live is behind, or that a rebuild takes.
 */
export interface Recent {
  /** The rebuild's store, with its commits recorded here. */
  readonly store: Store;
  /** Forgets rows and entries up to that time, which live has reached. */
  forget(until: Millis): void;
  /** Tells if a row was, or may have been, written for a later time. */
  isWritten(processor: string, key: string): boolean;
  /** Entries kept; null: there were more than the limits allow. */
  readonly entries: () => readonly RecentEntry[] | null;
}

/** @param since the time that live has reached at first */
export const recent = (store: Store, codec: Pick<Codec, "decode">, since: Millis): Recent => {
  const rows = new Map<string, Millis>();
  let entries: RecentEntry[] = [];
  let bytes = 0;
  let isFull = false;

  const note = ({ processor, lanes: holds, rows: written, outbox }: Commit): void => {
    // A processor that folds records in the order of arrival is ahead of its watermark.
    const time = Math.max(...holds.flatMap((hold) => [hold.watermark, ...Object.values(hold.lastTime)]));
    if (time > since) for (const { key } of written) rows.set(rowName(processor, key), time);
    for (const entry of outbox) {
      const at = timeOf(entry, time, codec);
      if (at <= since || !said.includes(entry.topic)) continue;
      entries.push({ at, entry });
      bytes += entry.value.length;
    }
    isFull ||= rows.size > MAX_ROWS || bytes > MAX_BYTES;
    if (isFull) drop();
  };
  const drop = (): void => {
    rows.clear();
    entries = [];
    bytes = 0;
  };

  return {
    store: {
      ...store,
      commit(commit) {
        note(commit); // before the commit, because a commit whose answer is lost may have been made
        return store.commit(commit);
      },
    },
    forget(until) {
      if (until <= since) return;
      since = until;
      for (const [name, at] of rows) if (at <= until) rows.delete(name);
      entries = entries.filter(({ at }) => at > until);
      bytes = entries.reduce((sum, { entry }) => sum + entry.value.length, 0);
    },
    isWritten: (processor, key) => isFull || rows.has(rowName(processor, key)),
    entries: () => (isFull ? null : entries),
  };
};

/** A dead letter is written as soon as its record is read, before the watermark has reached the record. */
const timeOf = ({ topic, value }: OutboxEntry, time: Millis, codec: Pick<Codec, "decode">): Millis =>
  topic === "deadLetters" ? (codec.decode(topic, value) as DeadLetter).occurredAt : time;

const rowName = (processor: string, key: string): string => `${processor} ${key}`;
