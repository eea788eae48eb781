import type { Millis } from "./time.ts";

/** Id by which the program calls a topic; `Topic.name` is what the broker calls it. */
export type TopicId = string;

/** Bytes of a record on our own topics: an outside record of Kafka's default limit still fits, with its origin around it. */
export const MAX_RECORD = 2 * 1024 * 1024;

/** Declaration of a topic: its name, key, shape and retention. */
export interface Topic {
  /** Its name on the broker, behind the configured prefix. Identity: renaming it loses its past. */
  readonly name: string;
  /** Concept of the record's key, in UTF-8; `none` where the producer names the partition. */
  readonly key: string;
  /** File in `schemas/` with the Avro schema of its values, registered under `<name>-value`. */
  readonly schema: string;
  readonly cleanup: "compact" | "delete";
  /** Milliseconds a record is kept; -1 for ever. Absent for compacted topics. */
  readonly retention?: Millis;
  /** Milliseconds in which compaction leaves every record in place, the superseded ones too. */
  readonly compactionLag?: Millis;
  /** `external`: another product writes it, and may have created it with any number of partitions. */
  readonly owner: "external" | "own";
  readonly about: string;
}

/** The platform's view of the product that it runs: its topics, and its own counters. */
export interface Product {
  readonly topics: Readonly<Record<TopicId, Topic>>;
  /** Records of equal time are taken in this order; topics that are not listed come last. */
  readonly precedence: readonly TopicId[];
  /** Topics whose records follow from those of the others: a rebuild writes them anew. */
  readonly derived: readonly TopicId[];
  /** Topic for records that no processor can take. */
  readonly deadLetters: TopicId;
  /** Help texts of the counters that processors add to with each commit, by name. */
  readonly counters: Readonly<Record<string, string>>;
}

/** The declaration of a topic. Throws where the product has no such topic: a bug. */
export const declarationOf = ({ topics }: Pick<Product, "topics">, topic: TopicId): Topic => {
  const found = topics[topic];
  if (found === undefined) throw new Error(`the product declares no topic ${topic}`);
  return found;
};

/** Position of a topic among records of equal time. */
export const rankOf = ({ precedence }: Pick<Product, "precedence">, topic: TopicId): number => {
  const found = precedence.indexOf(topic);
  return found === -1 ? precedence.length : found;
};
