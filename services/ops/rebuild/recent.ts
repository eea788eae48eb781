import type { TopicId } from "../../platform/contract/topic.ts";
import type { DeadLetter } from "../../platform/contract/records.ts";
import type { Codec, Commit, OutboxEntry, Store } from "../../platform/contract/ports.ts";
import type { Millis } from "../../platform/contract/time.ts";

/** What is kept in memory of it: rows by name, and the bytes of entries. */
const MAX_ROWS = 2_000_000;
const MAX_BYTES = 256 * 1024 * 1024;

/** What the live services say to others than each other. */
const said: readonly TopicId[] = ["notifications", "ledger", "deadLetters"];

/** What was put in the outbox for others, by the time that it is of. */
export interface RecentEntry {
  readonly at: Millis;
  readonly entry: OutboxEntry;
}

/**
 * What a rebuild has written for times that the live services haven't come to: live can't have it yet. Bounded by what
 * happens in the time by which live is behind, or in which a rebuild takes place.
 */
export interface Recent {
  /** The rebuild's store, listened to. */
  readonly store: Store;
  /** Live has come to that time: what is of a time up to it is forgotten. */
  forget(until: Millis): void;
  /** Whether a row was, or may have been, written for a later time than that. */
  isWritten(processor: string, key: string): boolean;
  /** null: it was more than is kept. */
  readonly entries: () => readonly RecentEntry[] | null;
}

/** @param since what live has come to at first */
export const recent = (store: Store, codec: Pick<Codec, "decode">, since: Millis): Recent => {
  const rows = new Map<string, Millis>();
  let entries: RecentEntry[] = [];
  let bytes = 0;
  let isFull = false;

  const note = ({ processor, lanes: holds, rows: written, outbox }: Commit): void => {
    // Who folds records as they come is ahead of the stream's time.
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
        note(commit); // before: a commit whose answer is lost may have been made
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

/** Letters are written as soon as a record is read, before the stream's time has come to it. */
const timeOf = ({ topic, value }: OutboxEntry, time: Millis, codec: Pick<Codec, "decode">): Millis =>
  topic === "deadLetters" ? (codec.decode(topic, value) as DeadLetter).occurredAt : time;

const rowName = (processor: string, key: string): string => `${processor} ${key}`;
