// Generated from schemas/ by `npm run generate`. Edit the schemas instead.

import type { Millis } from "./time.ts";

export type Settled = "RETRIED" | "DROPPED";

/** Topic whileaway.dead-letters, no key. A record that a processor could not take, byte for byte, with its place and the reason. */
export interface DeadLetter {
  /** Derived from the processor and the place. */
  readonly id: string;
  /** The processor that could not take the record. Another processor may have taken it. */
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: Millis;
  readonly key: null | Uint8Array;
  readonly value: null | Uint8Array;
  readonly headers: Readonly<Record<string, Uint8Array>>;
  readonly reason: string;
  /** True: all bytes of the record are here. False: the record was too large, and only its beginning is here. */
  readonly isWhole: boolean;
  /** Set in a later record with the same id and no bytes, once `ops dead` has retried or dropped the dead letter. */
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
