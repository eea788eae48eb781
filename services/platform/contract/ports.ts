/**
 * What the engine needs of the world. Each port has two implementations, the real one in `runtime/` and the one in
 * `memory/`, and one contract suite in `test/contract` that both pass.
 */
import type { Lane } from "./lane.ts";
import type { Span } from "./row-parts.ts";
import type { Millis } from "./time.ts";
import type { TopicId } from "../../domain/topics.ts";

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
  /** Set only by who replays a past; else the time of sending. */
  readonly timestamp?: Millis;
}

export interface TopicPartition {
  readonly topic: TopicId;
  readonly partition: number;
}

/** The log: partitioned, ordered within a partition, kept. */
export interface Log {
  /** Resolves when all are on the log for good, those of one partition in the order given. Throws Transient. */
  publish(records: readonly Outgoing[]): Promise<void>;
  partitions(topic: TopicId): Promise<number>;
  /** What each partition holds, as of some moment after the call. Throws Transient. */
  offsets(places: readonly TopicPartition[]): Promise<readonly OffsetRange[]>;
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
  readonly place: TopicPartition;
  readonly records: readonly RawRecord[];
  /** The offset to go on from: behind the last record and whatever isn't delivered (transaction markers, say). */
  readonly next: number;
}

/** A member's share of a group. */
export interface Subscription extends AsyncDisposable {
  /** What is assigned now; another array object after each rebalance. */
  assigned(): readonly TopicPartition[];
  /** Deliver from this offset on; null: from the first record kept. */
  seek(place: TopicPartition, offset: number | null): void;
  /**
   * About `limit` records that have arrived, in order within a partition, least timestamps first across them; only of
   * places that are wanted. What isn't taken is kept within bounds for each place, and holds up no other.
   */
  take(limit: number, isWanted?: (place: TopicPartition) => boolean): readonly FetchedRecords[];
  /** Resolves when there is something wanted to take, or the assignment changed, or the signal aborts. */
  arrival(signal: AbortSignal, isWanted?: (place: TopicPartition) => boolean): Promise<void>;
  /** Tells the log how far the group is: a hint for its operators, never relied on. */
  commitHint(positions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void>;
}

/** Values in and out of the wire format. */
export interface Codec {
  /** Fetches what `decode` will need. Throws Transient when it can't now. */
  prepare(records: readonly Pick<RawRecord, "topic" | "value">[]): Promise<void>;
  /** Throws Poison with what is wrong with the bytes. */
  decode(topic: TopicId, value: Uint8Array): unknown;
  encode(topic: TopicId, value: unknown): Uint8Array;
}

export interface Clock {
  now(): Millis;
}

/**
 * A processor's hold on a lane: what it has taken, and the epoch in which it may write. A place is `topic/partition`, a
 * queue a place and who is heard there (`place<sender`), or the place where there is none.
 */
export interface LaneProgress {
  readonly lane: Lane;
  readonly epoch: number;
  /** By place, the offset before which everything is folded. */
  readonly cursors: Readonly<Record<string, number>>;
  /** By queue, the number of the last record folded: what came before is a repeat. */
  readonly lastSequence: Readonly<Record<string, number>>;
  /** By queue, how many events of the record after that are folded already. */
  readonly partiallyFolded: Readonly<Record<string, number>>;
  /** By queue, the time of the latest event folded. */
  readonly lastTime: Readonly<Record<string, Millis>>;
  /** Sequence number of the lane's last outbox entry. */
  readonly sequence: number;
  /** Everything that the log had by this time is folded; -1: nothing is known to be. */
  readonly watermark: Millis;
  /** By place, the offset before which everything is examined, and what is a stray is on its way. */
  readonly readOffsets: Readonly<Record<string, number>>;
  /** Everything that the log had by this time is examined. */
  readonly readWatermark: Millis;
}

/** How far a lane of a processor has come, as of its last commit. */
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

/** Where to look for what belongs to one row. */
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

/** All that a batch changed, saved as one. */
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

/** Work under a lease: whoever holds `token` may settle it. */
export interface Job {
  readonly queue: string;
  readonly id: string;
  readonly payload: unknown;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  readonly token: string;
}

export type Settlement =
  | { readonly state: "done" }
  | { readonly state: "retry"; readonly runAt: Millis; readonly error: string }
  /** It was not tried at all: no attempt is counted. */
  | { readonly state: "put off"; readonly runAt: Millis }
  | { readonly state: "dead"; readonly error: string };

/** Where state lives. Every call may throw Transient. */
export interface Store {
  /** Takes lanes over: raises their epochs, so that who held them can commit no more. */
  claim(processor: string, lanes: readonly Lane[]): Promise<readonly LaneProgress[]>;
  /** How far each lane ever claimed has come, as of one moment, with what it has yet to publish to the topic `to`. */
  progress(processor: string, to: TopicId): Promise<readonly CommittedProgress[]>;
  /** The values of rows, in the order asked; undefined where there is none. */
  load(processor: string, keys: readonly RowKey[]): Promise<readonly unknown[]>;
  /** All that there is within each of the spans, by key, in the order asked. */
  gather(processor: string, spans: readonly LaneSpan[]): Promise<readonly ReadonlyMap<string, unknown>[]>;
  /** Rows with `due` at or before `until`, earliest first. */
  due(processor: string, lanes: readonly Lane[], until: Millis, limit: number): Promise<readonly DueRow[]>;
  /** The earliest `due` of the lanes. */
  nextDue(processor: string, lanes: readonly Lane[]): Promise<Millis | null>;
  /** `fenced`: one of the holds is another's by now, and nothing was saved. */
  commit(commit: Commit): Promise<"committed" | "fenced">;

  /** What the streams have to publish, in order; at most `limit` of what was saved before `before`, if given. */
  unpublished(
    streams: readonly string[],
    bounds?: { readonly limit: number; readonly before: Millis },
  ): Promise<readonly OutboxEntry[]>;
  /** They are published. */
  published(entries: readonly Pick<OutboxEntry, "stream" | "sequence">[]): Promise<void>;

  /** Leases at most `limit` jobs that are to run by `now`, or whose lease has run out, until `until`. */
  lease(queue: string, limit: number, now: Millis, until: Millis): Promise<readonly Job[]>;
  /** Holds leased jobs until `until`; what has passed to another stays with it. */
  renew(jobs: readonly Job[], until: Millis): Promise<void>;
  /** The earliest time at which `lease` may find something. */
  nextJob(queue: string): Promise<Millis | null>;
  /** Settles a job and puts what follows in the outbox; false: the lease had passed to another, nothing was saved. */
  settle(
    job: Job,
    settlement: Settlement,
    outbox: readonly Omit<OutboxEntry, "sequence">[],
  ): Promise<false | readonly OutboxEntry[]>;
  /** Forgets at most `limit` jobs that ended before a moment, by the store's own clock: their ids count as new. Returns how many. */
  forget(queue: string, before: Millis, limit: number): Promise<number>;
}
