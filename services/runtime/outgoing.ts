import type { FanOut } from "../core/effect.ts";
import { type Lane, laneOf } from "../core/lane.ts";
import type { Codec, NewJob, OutboxEntry } from "../core/ports.ts";
import type { InboxEntry } from "../core/records.ts";
import { laneStream } from "../core/stream.ts";
import { type TopicId, topics } from "../core/topics.ts";
import type { LaneEffect } from "./batch.ts";

/** Recipients that one inbox record names at most: what a reader takes at once stays a bounded piece of work. */
const MAX_RECIPIENTS = 500;

/** What a commit saves beside its rows. */
export interface Followed {
  readonly outbox: readonly OutboxEntry[];
  readonly jobs: readonly NewJob[];
  /** Recipients who may have missed a message by what was fanned out. */
  readonly candidates: number;
}

/**
 * Encodes what the effects publish, numbered in their lane's stream, and lists the jobs. Fan-outs of one lane to one
 * inbox lane become one record, in the place of the last of them; they keep their order.
 * @param next the next sequence number of a lane's stream
 */
export const follow = (
  processor: string,
  effects: readonly LaneEffect[],
  codec: Codec,
  inboxLanes: number,
  next: (lane: Lane) => number,
): Followed => {
  const outbox: OutboxEntry[] = [];
  const jobs: NewJob[] = [];
  let candidates = 0;
  const packs = new Map<Lane, Pack[]>();

  const put = (lane: Lane, topic: TopicId, partition: number | null, key: string | null, value: unknown): void => {
    const sequence = next(lane);
    outbox.push({
      stream: laneStream(processor, lane),
      sequence,
      topic,
      partition,
      key,
      value: codec.encode(topic, value),
    });
  };

  for (const { lane, effect } of effects) {
    if (effect.type === "publish")
      put(lane, effect.topic, null, topics[effect.topic].key === "none" ? null : effect.key, effect.value);
    else if (effect.type === "enqueue") {
      const { queue, id, payload, runAt } = effect;
      jobs.push({ queue, id, payload, runAt });
    } else if (effect.type === "forward") put(lane, effect.topic, effect.partition, null, effect.stray);
    else if (effect.type === "fanOut") {
      if (effect.entry.type === "CANDIDATE") candidates += effect.entry.recipients.length;
      pack(packsOf(packs, lane, inboxLanes), effect, inboxLanes);
    }
  }
  for (const [lane, ofLane] of packs)
    ofLane.forEach((filled, partition) => {
      for (const entries of filled.records) put(lane, "inbox", partition, null, { entries });
    });
  return { outbox, jobs, candidates };
};

/** What goes to one inbox lane: records of entries, the last of which may still grow. */
interface Pack {
  readonly records: InboxEntry[][];
  recipients: number;
}

const packsOf = (packs: Map<Lane, Pack[]>, lane: Lane, inboxLanes: number): Pack[] => {
  const found = packs.get(lane) ?? Array.from({ length: inboxLanes }, () => ({ records: [], recipients: 0 }));
  packs.set(lane, found);
  return found;
};

const pack = (packs: readonly Pack[], { entry }: FanOut, inboxLanes: number): void => {
  const mentioned = new Set(entry.mentioned);
  const shares = Map.groupBy(entry.recipients, (user) => laneOf(user, inboxLanes));
  for (const [lane, recipients] of shares) {
    const to = packs[lane];
    if (to === undefined) continue;
    for (let from = 0; from < recipients.length; from += MAX_RECIPIENTS) {
      const some = recipients.slice(from, from + MAX_RECIPIENTS);
      const last = to.records.at(-1);
      const own = { ...entry, recipients: some, mentioned: some.filter((user) => mentioned.has(user)) };
      if (last !== undefined && to.recipients + some.length <= MAX_RECIPIENTS) last.push(own);
      else {
        to.records.push([own]);
        to.recipients = 0;
      }
      to.recipients += some.length;
    }
  }
};

/** How many of the records are of which topic. */
export const countByTopic = (records: readonly { readonly topic: TopicId }[]): ReadonlyMap<TopicId, number> => {
  const counts = new Map<TopicId, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
};
