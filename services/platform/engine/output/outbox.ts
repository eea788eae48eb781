import { type Lane } from "../../contract/lane.ts";
import type { Codec, NewJob, OutboxEntry } from "../../contract/ports.ts";
import { laneStream } from "../../contract/stream.ts";
import { type TopicId, topics } from "../../../domain/topics.ts";
import type { LaneEffect } from "../fold/fold.ts";
import { inboxPack, ledgerPack } from "./packing.ts";

/** What a commit saves beside its rows. */
export interface Followed {
  readonly outbox: readonly OutboxEntry[];
  readonly jobs: readonly NewJob[];
  /** Recipients who may have missed a message by what was fanned out. */
  readonly candidates: number;
}

/** Partitions of the topics on which one record serves many users. */
export interface Widths {
  readonly inbox: number;
  readonly ledger: number;
}

/**
 * Encodes what the effects publish, numbered in their lane's stream, and lists the jobs. Fan-outs of one lane to one
 * inbox lane become one record, after everything else; they keep their order. So do notes.
 * @param next the next sequence number of a lane's stream
 */
export const follow = (
  processor: string,
  effects: readonly LaneEffect[],
  codec: Codec,
  widths: Widths,
  next: (lane: Lane) => number,
): Followed => {
  const outbox: OutboxEntry[] = [];
  const jobs: NewJob[] = [];
  let candidates = 0;
  const packs = new Map<
    Lane,
    { readonly inbox: ReturnType<typeof inboxPack>; readonly ledger: ReturnType<typeof ledgerPack> }
  >();

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
  const packsOf = (lane: Lane) => {
    const found = packs.get(lane) ?? { inbox: inboxPack(widths.inbox), ledger: ledgerPack(widths.ledger) };
    packs.set(lane, found);
    return found;
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
      packsOf(lane).inbox.add(effect.entry);
    } else if (effect.type === "note") packsOf(lane).ledger.add(effect.entry, effect.users);
  }
  for (const [lane, { inbox, ledger }] of packs) {
    for (const { partition, value } of inbox.records()) put(lane, "inbox", partition, null, value);
    for (const { partition, value } of ledger.records()) put(lane, "ledger", partition, null, value);
  }
  return { outbox, jobs, candidates };
};

/** How many of the records are of which topic. */
export const countByTopic = (records: readonly { readonly topic: TopicId }[]): ReadonlyMap<TopicId, number> => {
  const counts = new Map<TopicId, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
};
