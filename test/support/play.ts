import { expect } from "vitest";
import type { NewRecord } from "../../services/domain/log-record.ts";
import type { Codec } from "../../services/platform/contract/ports.ts";
import type { NotificationEvent } from "../../services/domain/records.ts";
import { DAY, type Millis } from "../../services/platform/contract/time.ts";
import { topicIds } from "../../services/domain/topics.ts";
import type { Partitions } from "../../services/platform/memory/log.ts";
import { publish } from "../../services/platform/engine/output/publish.ts";
import { at } from "./chat.ts";
import { chaos, type Turn } from "./chaos.ts";
import { beginning, type Moment, recordsOf } from "./history.ts";

/** The start of every history. */
export const START = at("12:00");

/** A notification in short. */
export interface Told {
  readonly id: string;
  readonly userId: string;
  readonly at: Millis;
  readonly conversationId: string | null;
  readonly messageIds: readonly string[];
  readonly texts: readonly string[];
}

const briefly = ({ id, userId, conversationId, occurredAt, messageIds, snapshot }: NotificationEvent): Told => ({
  id,
  userId,
  conversationId,
  at: occurredAt,
  messageIds,
  texts: snapshot?.conversations[0]?.messages.map(({ text }) => text) ?? [],
});

/** Options of playing a history. */
export interface Way {
  readonly turns?: readonly Turn[];
  readonly partitions?: Partitions;
  /** The partition of a key for a producer; by default the key's lane. */
  readonly place?: (key: string, partitions: number) => number;
  /** No process runs from the first moment (by its index) until the second. */
  readonly down?: readonly [from: number, to: number];
}

/** Plays a history; returns its notifications, each once, ordered by time and id. */
export const play = async (
  codec: Codec,
  moments: readonly Moment[],
  { turns: drawn = [], partitions = 4, place, down }: Way = {},
): Promise<readonly Told[]> => {
  const world = chaos(codec, START, partitions);
  const left = drawn[Symbol.iterator]();
  const put = async (said: readonly NewRecord[]): Promise<void> => {
    if (place === undefined) return publish(world.log, codec, said);
    const counts = new Map(
      await Promise.all(topicIds.map(async (topic) => [topic, await world.log.partitions(topic)] as const)),
    );
    const value = ({ topic, value: given }: NewRecord) => (given === null ? null : codec.encode(topic, given));
    await world.log.publish(
      said.map((each) => ({
        topic: each.topic,
        key: each.key,
        value: value(each),
        timestamp: each.timestamp ?? 0,
        partition: place(each.key, counts.get(each.topic) ?? 1),
      })),
    );
  };

  await put(beginning(START));
  await world.advance(START, left);
  let time = START;
  for (const [index, moment] of moments.entries()) {
    const isDown = down !== undefined && index >= down[0] && index < down[1];
    time += moment.gap;
    if (!isDown) await world.advance(time - 1, left);
    const said = recordsOf(moment, time);
    time += said.length;
    world.skip(time);
    await put(said);
    if (!isDown) await world.advance(time, left);
  }
  await world.advance(time + DAY, left);
  const ids = new Set<string>();
  const told = world
    .triggered()
    .map(briefly)
    .filter(({ id }) => !ids.has(id) && ids.add(id));
  // After an outage late notifications may come in another order.
  if (down === undefined)
    for (const tellings of Map.groupBy(told, ({ userId }) => userId).values())
      expect(tellings.map((each) => each.at)).toEqual(tellings.map((each) => each.at).toSorted((a, b) => a - b));
  return told.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
};
