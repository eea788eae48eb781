import { messageOf } from "../../contract/failure.ts";
import { derivedId } from "../../contract/identity.ts";
import type { RawRecord } from "../../contract/ports.ts";
import type { DeadLetter } from "../../contract/records.ts";
import { declarationOf, type Product } from "../../contract/topic.ts";
import { announce } from "../../runtime/facts.ts";
import { asBuffer } from "../../runtime/buffers.ts";
import type { LaneEffect, Stuck } from "../lane-effect.ts";

/** Bytes of a record that our own topics carry, inside another record: those take 2 MiB (contract/topic.ts). */
export const MAX_CARRIED = 1_572_864;
const MAX_REASON = 2_000;

const sizeOf = ({ key, value, headers }: RawRecord): number =>
  Object.values(headers).reduce((sum, bytes) => sum + bytes.length, (key?.length ?? 0) + (value?.length ?? 0));

/** The record byte for byte, unless it is too large for our own topics; its origin and the reason. */
export const deadLetter = (raw: RawRecord, processor: string, error: unknown, product: Product): DeadLetter => {
  const { partition, offset, timestamp } = raw;
  const size = sizeOf(raw);
  const isLarge = size > MAX_CARRIED;
  const kept = isLarge ? MAX_CARRIED / 4 : MAX_CARRIED;
  const key = asBuffer(raw.key)?.subarray(0, kept) ?? null;
  const value = asBuffer(raw.value)?.subarray(0, kept) ?? null;
  const headers = isLarge
    ? {}
    : Object.fromEntries(Object.entries(raw.headers).map(([name, bytes]) => [name, Buffer.from(bytes)]));
  const topic = declarationOf(product, raw.topic).name;
  const what = messageOf(error).slice(0, MAX_REASON);
  const reason = isLarge ? `${what} (of its ${size} bytes only the beginning is kept here)` : what;
  announce("deadLetter", { processor, topic: raw.topic, partition, offset, reason });
  return {
    id: derivedId("dead-letter", processor, topic, partition, offset),
    processor,
    topic,
    partition,
    offset,
    timestamp,
    key,
    value,
    headers,
    reason,
    isWhole: !isLarge,
    settled: null,
    occurredAt: timestamp,
  };
};

/** Reports a timer, or an effect, that the rule can't take: the key of its row, and the time. */
export const stuckLetter = ({ lane, key, at, error }: Stuck, processor: string): DeadLetter => {
  const topic = `${processor}.timers`;
  const reason = messageOf(error).slice(0, MAX_REASON);
  announce("stuck", { processor, lane, key, at, reason });
  return {
    id: derivedId("dead-letter", processor, topic, key, at),
    processor,
    topic,
    partition: lane,
    offset: 0,
    timestamp: at,
    key: Buffer.from(key),
    value: null,
    headers: {},
    reason,
    isWhole: true,
    settled: null,
    occurredAt: at,
  };
};

/** Publishes a dead letter. */
export const publishLetter = (lane: number, letter: DeadLetter, { deadLetters }: Product): LaneEffect => ({
  lane,
  effect: { type: "publish", topic: deadLetters, key: "", value: letter },
});
