import type { Values } from "../../domain/log-record.ts";
import type { UserId } from "../../domain/ids.ts";
import type { InboxEntry, LedgerEntry } from "../../domain/records.ts";
import type { Millis } from "./time.ts";
import type { TopicId } from "../../domain/topics.ts";

/** Effects are data: only the engine carries them out, in the transaction that saves the state. */
export type Effect = Publish | FanOut | Note | Compose | Enqueue;

/** Put a record on a topic, on the lane of its key. */
export type Publish = {
  readonly [T in TopicId]: {
    readonly type: "publish";
    readonly topic: T;
    readonly key: string;
    readonly value: Values[T];
  };
}[TopicId];

/** Tell the recipients of an entry: it is dealt out to their lanes, one record a lane for all entries of a commit. */
export interface FanOut {
  readonly type: "fanOut";
  readonly entry: InboxEntry;
}

/** What an entry of the ledger says, whomever of. */
export type Verdict = Omit<LedgerEntry, "users">;

/** Put a verdict about users in the ledger; those of a commit that differ in their users alone become one. */
export interface Note {
  readonly type: "note";
  /** May be one object for many users: then it is one note for all of them. */
  readonly entry: Verdict;
  readonly users: readonly UserId[];
}

/** Go on in the processor's `compose` with rows that belong to other keys, as they are at the commit. */
export interface Compose {
  readonly type: "compose";
  readonly payload: unknown;
}

/** A row of some processor's state. */
export interface Lookup {
  readonly processor: string;
  /** The topic whose partitions are that processor's lanes. */
  readonly home: TopicId;
  /** The id whose lane the row lies in. */
  readonly id: string;
  readonly key: string;
}

/** Work for outside of any transaction: leased, attempted, settled. An id that the queue has had changes nothing. */
export interface Enqueue {
  readonly type: "enqueue";
  readonly queue: string;
  readonly id: string;
  readonly payload: unknown;
  /** Not to be attempted before. */
  readonly runAt: Millis;
}
