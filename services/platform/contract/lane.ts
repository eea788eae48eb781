/**
 * A lane is one of the N equal shares in which a processor's keys, its state and its work are dealt out; N is the
 * number of partitions of the processor's own topic. A key's lane is what Java's default partitioner calls its
 * partition: murmur2 of the key's UTF-8, sign dropped, modulo N.
 */
export type Lane = number;

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
/** UTF-8 of one UTF-16 code unit at most. */
const MAX_BYTES = 3;
const encoder = new TextEncoder();
/** Buffer in which keys are encoded. Keys longer than ids may be (contract/identity.ts) get a new array. */
const scratch = new Uint8Array(1_024);

/** Kafka's murmur2 (org.apache.kafka.common.utils.Utils#murmur2) of a string's UTF-8, as an unsigned 31-bit number. */
export const murmur2 = (key: string): number => {
  const data = key.length * MAX_BYTES <= scratch.length ? scratch : encoder.encode(key);
  const length = data === scratch ? encoder.encodeInto(key, scratch).written : data.length;
  let h = SEED ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = at(data, i) | (at(data, i + 1) << 8) | (at(data, i + 2) << 16) | (at(data, i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = length - i;
  if (rest >= 3) h ^= at(data, i + 2) << 16;
  if (rest >= 2) h ^= at(data, i + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ at(data, i), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h & 0x7fffffff;
};

const at = (data: Uint8Array, index: number): number => data[index] ?? 0;

/** The lane of a key among `lanes`. */
export const laneOf = (key: string, lanes: number): Lane => murmur2(key) % lanes;
