import { type Keyed, type Processor } from "../../platform/contract/processor.ts";
import { product } from "../../domain/topics.ts";
import { note } from "../../domain/effect.ts";
import type { TopicId } from "../../platform/contract/topic.ts";
import type { LaneEffect } from "../../platform/engine/lane-effect.ts";
import type { DeadLetter } from "../../platform/contract/records.ts";
import { isLaneStream, laneStream } from "../../platform/contract/stream.ts";
import type { Codec, LaneProgress, OutboxEntry } from "../../platform/contract/ports.ts";
import type { LedgerRecord, NotificationEvent } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { encodeEffects } from "../../platform/engine/output/outbox.ts";
import type { RecentEntry } from "./recent.ts";

/** Progress and outbox entries with which the live lanes go on. */
export interface Carried {
  readonly holds: readonly LaneProgress[];
  readonly outbox: readonly OutboxEntry[];
}

/**
 * Carries over the effects that a rebuilt processor decided for times after the live lanes' watermarks. With the rebuilt
 * state, live would never decide them. They follow the entries in the live lanes' outbox. Earlier effects are left out.
 * @param past every live lane has reached at least this time
 * @param untold ids of the TRIGGERED events that live has not published
 */
export const carry = (
  processor: Pick<Processor<unknown, Keyed, unknown>, "name" | "multicasts">,
  live: readonly LaneProgress[],
  entries: readonly RecentEntry[],
  past: Millis,
  untold: ReadonlySet<string>,
  codec: Codec,
  widths: ReadonlyMap<TopicId, number>,
): Carried => {
  const holds = new Map(live.map((hold) => [hold.lane, hold]));
  const left = new Set(untold);
  const effects = entries.flatMap(({ entry }): readonly LaneEffect[] => {
    if (!isLaneStream(entry.stream)) return [];
    const hold = live.find(({ lane }) => laneStream(processor.name, lane) === entry.stream);
    return hold === undefined ? [] : effectsOf(entry, hold, past, left, codec);
  });
  const next = (lane: number): number => {
    const hold = holds.get(lane);
    const sequence = (hold?.sequence ?? 0) + 1;
    if (hold !== undefined) holds.set(lane, { ...hold, sequence });
    return sequence;
  };
  const { outbox } = encodeEffects(effects, { processor, codec, product, widths, next });
  return { holds: [...holds.values()], outbox };
};

const effectsOf = (
  entry: OutboxEntry,
  { lane, watermark: time }: LaneProgress,
  past: Millis,
  untold: Set<string>,
  codec: Codec,
): readonly LaneEffect[] => {
  const isLater = (at: Millis): boolean => at > past && at > time;
  switch (entry.topic) {
    case "notifications": {
      const value = codec.decode(entry.topic, entry.value) as NotificationEvent;
      // Timers of exactly the lane's watermark may not have fired yet.
      if (value.occurredAt <= past || value.occurredAt < time || !untold.delete(value.id)) return [];
      return [{ lane, effect: { type: "publish", topic: "notifications", key: value.userId, value } }];
    }
    case "ledger": {
      const { entries } = codec.decode(entry.topic, entry.value) as LedgerRecord;
      return entries
        .filter(({ occurredAt }) => isLater(occurredAt))
        .map(({ users, ...verdict }) => ({ lane, effect: note(verdict, users) }));
    }
    case "deadLetters": {
      const value = codec.decode(entry.topic, entry.value) as DeadLetter;
      return isLater(value.occurredAt)
        ? [{ lane, effect: { type: "publish", topic: "deadLetters", key: "", value } }]
        : [];
    }
    default:
      return [];
  }
};

/** Counts the entries of a topic. */
export const countOfTopic = (outbox: readonly OutboxEntry[], topic: TopicId): number =>
  outbox.filter((entry) => entry.topic === topic).length;
