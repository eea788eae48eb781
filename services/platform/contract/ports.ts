/**
 * The ports of the engine: log, store, codec, clock. Each has two implementations, the real one in `adapters/` and the
 * one in `memory/`, and one contract suite in `test/contract` that both pass.
 */
import type { Lane } from "./lane.ts";
import type { Span } from "./row-parts.ts";
import type { Millis } from "./time.ts";
import type { TopicId } from "./topic.ts";
import type { TopicPartition } from "./topic-partition.ts";

/** A record as the log holds it. */
export interface RawRecord {
  readonly topic: TopicId;
  readonly partition: number;
  readonly offset: number;
  /** The log's own timestamp (Kafka: CreateTime or LogAppendTime). */
  readonly timestamp: Millis;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, Uint8Array>>;
}

/** A record to be put on the log. Without a partition, the key's lane among the topic's partitions. */
export interface Outgoing {
  readonly topic: TopicId;
  readonly partition?: number;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
  /** Set only to replay a past; else the time of sending. */
  readonly timestamp?: Millis;
}

/** The log: partitioned, ordered within a partition, kept. */
export interface Log {
  /** Resolves when all are on the log for good, those of one partition in the order given. Throws Transient. */
  publish(records: readonly Outgoing[]): Promise<void>;
  partitions(topic: TopicId): Promise<number>;
  /** The offsets of each partition, as of some moment after the call. Throws Transient. */
  offsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetRange[]>;
  /**
   * Joins the group `group`; partitions of one lane (their number modulo `lanes`) go to one member, whatever the topic.
   * Nothing is delivered of a partition until `seek` has said from where. Throws Transient, or Fatal where a topic isn't.
   */
  subscribe(group: string, topics: readonly TopicId[], lanes: number): Promise<Subscription>;
  /**
   * Reads topics from the first record kept to where they ended at the start, in order within a partition, and leaves no
   * trace. Throws Transient.
   */
  scan(topics: readonly TopicId[]): AsyncIterable<readonly RawRecord[]>;
}

/** From the first record kept to behind the last one; the same where there is none. */
export interface OffsetRange {
  readonly low: number;
  readonly high: number;
}

/** Records that follow one another on a partition. */
export interface FetchedRecords {
  readonly from: TopicPartition;
  readonly records: readonly RawRecord[];
  /** The offset to go on from: behind the last record and whatever isn't delivered (transaction markers, say). */
  readonly next: number;
}

/** A member's share of a group. */
export interface Subscription extends AsyncDisposable {
  /** The partitions assigned now; another array object after each rebalance. */
  assigned(): readonly TopicPartition[];
  /** Delivers from this offset on; null: from the first record kept. */
  seek(partition: TopicPartition, offset: number | null): void;
  /**
   * About `limit` records that have arrived, in order within a partition, least timestamps first across them; only of
   * partitions that are wanted. Records that aren't taken are kept, within bounds for each partition, and hold up no other.
   */
  take(limit: number, isWanted?: (partition: TopicPartition) => boolean): readonly FetchedRecords[];
  /** Resolves when there is a wanted record to take, or the assignment changed, or the signal aborts. */
  arrival(signal: AbortSignal, isWanted?: (partition: TopicPartition) => boolean): Promise<void>;
  /** Commits the group's offsets on the log: a hint for operators, never relied on. */
  commitHint(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
}

/** Decodes and encodes values of the wire format. */
export interface Codec {
  /** Fetches the schemas that `decode` will need. Throws Transient when it can't now. */
  prepare(records: readonly Pick<RawRecord, "topic" | "value">[]): Promise<void>;
  /** Throws Poison that says what is wrong with the bytes. */
  decode(topic: TopicId, value: Uint8Array): unknown;
  encode(topic: TopicId, value: unknown): Uint8Array;
}

export interface Clock {
  now(): Millis;
}

/**
 * A processor's progress on a lane, and the epoch in which it may write. Partitions are named `topic/partition`. A queue
 * is the records of one sender on a partition (`topic/partition<sender`), or the partition where no sender is named.
 */
export interface LaneProgress {
  readonly lane: Lane;
  readonly epoch: number;
  /** By partition, the offset before which everything is folded. */
  readonly cursors: Readonly<Record<string, number>>;
  /** By queue, the number of the last record folded: records up to it are repeats. */
  readonly lastSequence: Readonly<Record<string, number>>;
  /** By queue, the number of events folded already of the record after that. */
  readonly partiallyFolded: Readonly<Record<string, number>>;
  /** By queue, the time of the latest event folded. */
  readonly lastTime: Readonly<Record<string, Millis>>;
  /** Sequence number of the lane's last outbox entry. */
  readonly sequence: number;
  /** Everything that the log had by this time is folded; -1: nothing is known to be. */
  readonly watermark: Millis;
  /** By partition, the offset before which everything is read, and strays are on their way. */
  readonly readOffsets: Readonly<Record<string, number>>;
  /** Everything that the log had by this time is read. */
  readonly readWatermark: Millis;
}

/** The progress of a lane as of its last commit, as other processors see it. */
export interface CommittedProgress extends Pick<
  LaneProgress,
  "lane" | "cursors" | "readOffsets" | "watermark" | "readWatermark" | "sequence"
> {
  /** Sequence number of the first entry that is still to be published; null where there is none. */
  readonly unpublished: number | null;
}

export interface RowKey {
  readonly lane: Lane;
  readonly key: string;
}

/** A row whose timer is set. */
export interface DueRow extends RowKey {
  readonly due: Millis;
}

/** Keys under which the parts of one row may lie. */
export interface LaneSpan extends Span {
  readonly lane: Lane;
}

export interface RowWrite extends RowKey {
  /** JSON data; null deletes. */
  readonly value: unknown;
  readonly due: Millis | null;
}

/** An encoded record that waits to be published: `stream` and `sequence` are its identity. */
export interface OutboxEntry {
  readonly stream: string;
  readonly sequence: number;
  readonly topic: TopicId;
  readonly partition: number | null;
  readonly key: string | null;
  readonly value: Uint8Array;
}

export interface NewJob {
  readonly queue: string;
  readonly id: string;
  readonly payload: unknown;
  readonly runAt: Millis;
}

/** Everything that a batch changed, saved as one. */
export interface Commit {
  readonly processor: string;
  /** The lanes touched, as they are to be; each in the epoch in which it was claimed. */
  readonly lanes: readonly LaneProgress[];
  /** All timers of these lanes that are set for later become due at this time, before `rows` are written. */
  readonly revisit: Millis | null;
  /** Each once. */
  readonly rows: readonly RowWrite[];
  readonly outbox: readonly OutboxEntry[];
  readonly jobs: readonly NewJob[];
}

/** A job under a lease: the holder of `token` may settle it. */
export interface Job {
  readonly queue: string;
  readonly id: string;
  readonly payload: unknown;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  readonly token: string;
}

export type Settlement =
  | { readonly state: "done" }
  | { readonly state: "retry"; readonly runAt: Millis; readonly error: string }
  /** It was not tried at all: no attempt is counted. */
  | { readonly state: "put off"; readonly runAt: Millis }
  | { readonly state: "dead"; readonly error: string };

/** The store of state, outbox and jobs. Every call may throw Transient. */
export interface Store {
  /** Claims lanes: raises their epochs, so that earlier owners can commit no more. */
  claim(processor: string, lanes: readonly Lane[]): Promise<readonly LaneProgress[]>;
  /** The progress of each lane ever claimed, as of one moment, with its first record unpublished to the topic `to`. */
  progress(processor: string, to: TopicId): Promise<readonly CommittedProgress[]>;
  /** The values of rows, in the order asked; undefined where there is none. */
  load(processor: string, keys: readonly RowKey[]): Promise<readonly unknown[]>;
  /** The rows within each of the spans, by key, in the order asked. */
  gather(processor: string, spans: readonly LaneSpan[]): Promise<readonly ReadonlyMap<string, unknown>[]>;
  /** Rows with `due` at or before `until`, earliest first. */
  due(processor: string, lanes: readonly Lane[], until: Millis, limit: number): Promise<readonly DueRow[]>;
  /** The earliest `due` of the lanes. */
  nextDue(processor: string, lanes: readonly Lane[]): Promise<Millis | null>;
  /** `fenced`: one of the lanes is another's by now, and nothing was saved. */
  commit(commit: Commit): Promise<"committed" | "fenced">;

  /** Unpublished entries of the streams, in order; with `bounds`, at most `limit` of those saved before `before`. */
  unpublished(
    streams: readonly string[],
    bounds?: { readonly limit: number; readonly before: Millis },
  ): Promise<readonly OutboxEntry[]>;
  /** Deletes entries that are published. */
  published(entries: readonly Pick<OutboxEntry, "stream" | "sequence">[]): Promise<void>;

  /** Leases at most `limit` jobs that are to run by `now`, or whose lease has run out, until `until`. */
  lease(queue: string, limit: number, now: Millis, until: Millis): Promise<readonly Job[]>;
  /** Extends leases to `until`; a job that has passed to another stays with it. */
  renew(jobs: readonly Job[], until: Millis): Promise<void>;
  /** The earliest time at which `lease` may find something. */
  nextJob(queue: string): Promise<Millis | null>;
  /** Settles a job and saves its records in the outbox; false: the lease had passed to another, nothing was saved. */
  settle(
    job: Job,
    settlement: Settlement,
    outbox: readonly Omit<OutboxEntry, "sequence">[],
  ): Promise<false | readonly OutboxEntry[]>;
  /** Deletes at most `limit` jobs that ended before a moment, by the store's own clock: their ids count as new. Returns how many. */
  forget(queue: string, before: Millis, limit: number): Promise<number>;
}
