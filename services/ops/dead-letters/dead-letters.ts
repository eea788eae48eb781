import { SEQUENCE_HEADER, STREAM_HEADER } from "../../platform/contract/stream.ts";
import type { DeadLetter, Settled } from "../../platform/contract/records.ts";
import { Fatal, messageOf } from "../../platform/contract/failure.ts";
import type { Outgoing } from "../../platform/contract/ports.ts";
import { type TopicId, topicIds, topics } from "../../domain/topics.ts";
import type { CommandDeps, Refusal } from "../command-deps.ts";
import { readWhole } from "../read.ts";

/** A dead letter, and how it was settled; null: it is open. */
export interface Found {
  readonly letter: DeadLetter;
  readonly settled: Settled | null;
}

/** Lists the dead letters by their timestamps. @param withSettled whether to list settled ones too */
export const deadLetters = async (deps: CommandDeps, withSettled: boolean): Promise<readonly Found[]> => {
  const letters = new Map<string, DeadLetter>();
  const settled = new Map<string, Settled>();
  for await (const { value } of readWhole(deps, "deadLetters")) {
    if (value === null) continue;
    if (value.settled !== null) settled.set(value.id, value.settled);
    else if (!letters.has(value.id)) letters.set(value.id, value); // a repeat is equal
  }
  return [...letters.values()]
    .map((letter) => ({ letter, settled: settled.get(letter.id) ?? null }))
    .filter((found) => withSettled || found.settled === null)
    .toSorted((a, b) => a.letter.timestamp - b.letter.timestamp || (a.letter.id < b.letter.id ? -1 : 1));
};

/** Finds the one letter for each beginning of an id. */
export const findLetters = async (deps: CommandDeps, ids: readonly string[]): Promise<readonly Found[] | Refusal> => {
  const all = await deadLetters(deps, true);
  const found: Found[] = [];
  for (const id of ids) {
    const matching = all.filter(({ letter }) => letter.id.startsWith(id));
    const [one] = matching;
    if (one === undefined) return { refused: `no dead letter has an id that begins with ${id}: see \`ops dead list\`` };
    if (matching.length > 1)
      return {
        refused: `${matching.length} dead letters have ids that begin with ${id}: give more characters of the id`,
      };
    found.push(one);
  }
  return found;
};

/**
 * Publishes records again, byte for byte, with their timestamps, on their partitions. A processor that has folded a
 * record meanwhile recognizes the repeat.
 */
export const retry = async (deps: CommandDeps, letters: readonly DeadLetter[]): Promise<Refusal | null> => {
  const records: Outgoing[] = [];
  for (const letter of letters) {
    const record = again(letter);
    if ("refused" in record) return record;
    const { topic, partition } = record;
    if (partition !== undefined && partition >= (await deps.log.partitions(topic)))
      return { refused: `${letter.id}: ${letter.topic} has no partition ${partition} any more` };
    records.push(record);
  }
  await deps.log.publish(records);
  await settle(deps, letters, "RETRIED");
  return null;
};

/** Settles letters without publishing their records. */
export const drop = (deps: CommandDeps, letters: readonly DeadLetter[]): Promise<void> =>
  settle(deps, letters, "DROPPED");

const settle = async ({ log, codec }: CommandDeps, letters: readonly DeadLetter[], settled: Settled): Promise<void> => {
  const records = letters.map((letter) => ({ ...letter, key: null, value: null, headers: {}, settled }));
  await log.publish(
    records.map((value) => ({ topic: "deadLetters", key: null, value: codec.encode("deadLetters", value) })),
  );
};

const again = (letter: DeadLetter): Outgoing | Refusal => {
  const { id, topic: name, partition, timestamp, key, value, headers, isWhole } = letter;
  const topic = topicIds.find((each) => topics[each].name === name);
  if (topic === undefined)
    return {
      refused: `${id} is no record but a timer of ${name.split(".")[0]}: it is tried again by itself every hour`,
    };
  if (!isWhole) return { refused: `${id}: the record was too large, and only its beginning is kept` };
  // With its old numbers the record would count as read already.
  const { [STREAM_HEADER]: _stream, [SEQUENCE_HEADER]: _sequence, ...others } = headers;
  const text = textOf(key);
  if (text === undefined) return { refused: `${id}: its key is not UTF-8, and nobody will ever take it` };
  return { topic, partition, key: text, value, headers: others, timestamp };
};

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Decodes UTF-8: null for null, undefined for other bytes. */
export const textOf = (bytes: Uint8Array | null): string | null | undefined => {
  if (bytes === null) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

/** Decodes the letter's value into JSON, or says why that is impossible. */
export const contentOf = async ({ codec }: CommandDeps, { topic: name, value }: DeadLetter): Promise<string> => {
  const topic = topicIds.find((each): each is TopicId => topics[each].name === name);
  if (value === null || topic === undefined) return "none";
  try {
    await codec.prepare([{ topic, value }]);
    return JSON.stringify(codec.decode(topic, value));
  } catch (error) {
    if (error instanceof Fatal) throw error;
    return `can't be read: ${messageOf(error)}`;
  }
};
