import type { Compose, Enqueue, MulticastFormat } from "../platform/contract/effect.ts";
import type * as contract from "../platform/contract/processor.ts";
import type { UserId } from "./ids.ts";
import type { LogRecord } from "./log-record.ts";
import type { InboxEntry, LedgerEntry, Values } from "./records.ts";
import type { TopicId } from "./topics.ts";

/** Effects of the product's rules: those of the engine, with the records of the product's topics. */
export type Effect = Publish | FanOut | Note | Compose | Enqueue;

/** Puts a record on a topic, on the lane of its key. */
export type Publish = {
  readonly [T in TopicId]: {
    readonly type: "publish";
    readonly topic: T;
    readonly key: string;
    readonly value: Values[T];
  };
}[TopicId];

/** Sends an inbox entry to the lanes of its recipients. */
export interface FanOut {
  readonly type: "multicast";
  readonly topic: "inbox";
  readonly entry: InboxEntry;
  readonly keys: readonly UserId[];
}

/** An entry of the ledger, without its users. */
export type Verdict = Omit<LedgerEntry, "users">;

/** Puts a verdict about users in the ledger; verdicts of a commit that differ in their users alone become one. */
export interface Note {
  readonly type: "multicast";
  readonly topic: "ledger";
  readonly entry: Verdict;
  readonly keys: readonly UserId[];
}

export const fanOut = (entry: InboxEntry): FanOut => ({
  type: "multicast",
  topic: "inbox",
  entry,
  keys: entry.recipients,
});

export const note = (entry: Verdict, users: readonly UserId[]): Note => ({
  type: "multicast",
  topic: "ledger",
  entry,
  keys: users,
});

export const isFanOut = (effect: Effect): effect is FanOut => effect.type === "multicast" && effect.topic === "inbox";
export const isNote = (effect: Effect): effect is Note => effect.type === "multicast" && effect.topic === "ledger";

/** A processor of the product: it reads the product's records and emits the product's effects. */
export type Processor<Row, Event extends contract.Keyed, Given = undefined> = contract.Processor<
  Row,
  Event,
  Given,
  LogRecord,
  Effect
>;

export type Step<Row> = contract.Step<Row, Effect>;

/** Formats of the topics on which one record serves many users. */
export const multicasts: Readonly<Record<"inbox" | "ledger", MulticastFormat>> = {
  inbox: {
    mergesEqual: false,
    forKeys(entry: InboxEntry, recipients: readonly UserId[]): InboxEntry {
      if (recipients === entry.recipients) return entry;
      const mentioned = new Set(entry.mentioned);
      const here = mentioned.size === 0 ? [] : recipients.filter((user) => mentioned.has(user));
      return { ...entry, recipients, mentioned: here };
    },
    idsOf: ({ conversationId, messageId, senderId, recipients, mentioned }: InboxEntry) => [
      conversationId,
      messageId,
      senderId,
      ...recipients,
      ...mentioned,
    ],
  },
  ledger: {
    mergesEqual: true,
    forKeys: (entry: Verdict, users: readonly UserId[]): LedgerEntry => ({ ...entry, users }),
    idsOf: ({ conversationId, messageIds, users }: LedgerEntry) => [conversationId, ...messageIds, ...users],
  },
};

/** Counters that effects add to (`product.counters`). */
export const counters = {
  candidates: {
    amountOf: (effect: Effect): number =>
      isFanOut(effect) && effect.entry.type === "CANDIDATE" ? effect.entry.recipients.length : 0,
  },
};
