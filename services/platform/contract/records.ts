// Generated from schemas/ by `npm run generate`. Edit the schemas instead.

import type { Millis } from "./time.ts";

export type Settled = "RETRIED" | "DROPPED";

/** Topic whileaway.dead-letters, no key. A record that could not be taken, byte for byte, with its place and the reason. */
export interface DeadLetter {
  /** Derived from the processor and the place. */
  readonly id: string;
  /** Who could not take it; another processor may have. */
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: Millis;
  readonly key: null | Uint8Array;
  readonly value: null | Uint8Array;
  readonly headers: Readonly<Record<string, Uint8Array>>;
  readonly reason: string;
  /** Whether all bytes of the record are here. */
  readonly isWhole: boolean;
  /** What was done about it (`ops dead`): a later record with its id says so, and has no bytes. */
  readonly settled: null | Settled;
  readonly occurredAt: Millis;
}

/** Topics whileaway.*.strays, no key: the producer names the partition. A record as it was found on a partition that is not its key's by Kafka's default partitioner. */
export interface Stray {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: Millis;
  readonly key: string;
  readonly value: null | Uint8Array;
}
