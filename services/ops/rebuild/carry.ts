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

/** What live goes on with. */
export interface Carried {
  readonly holds: readonly LaneProgress[];
  readonly outbox: readonly OutboxEntry[];
}

/**
 * What a rebuilt processor decided for times that its live lanes hadn't come to, as entries that follow those in the live
 * lanes' outbox: live would have said it yet, and with the rebuilt state it won't. Of the past before, nothing is said.
 * @param past live has come at least to this time, everywhere
 * @param untold ids of the TRIGGERED that live hasn't said
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
      // Of the very time that live has come to, not all timers need have been looked at.
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

/** How many of the entries are of the topic. */
export const countOfTopic = (outbox: readonly OutboxEntry[], topic: TopicId): number =>
  outbox.filter((entry) => entry.topic === topic).length;
