import { conversations } from "../conversations/rule.ts";
import type { LogRecord } from "../domain/log-record.ts";
import { isPoisonous, messageOf, Poison } from "../platform/contract/failure.ts";
import { checkId } from "../platform/contract/identity.ts";
import { noSettings, settingsTable } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import { type TopicId, topics } from "../domain/topics.ts";
import { inboxes } from "../inboxes/rule.ts";
import { mailer } from "../mailer/rule.ts";
import { type AvroType, avroType, problemsOf, withDefaults } from "../platform/adapters/registry/avro.ts";
import { schemaOf } from "../platform/adapters/registry/codec.ts";

/** Topics of which a history may have records: all that decisions come from. */
const TOPICS = ["messages", "participants", "conversations", "presence", "users", "settings", "preferences"] as const;

/** A history that was read from lines. */
export interface History {
  /** Stably in the order of their timestamps. */
  readonly records: readonly LogRecord[];
  /** Number of each record's line, from 1. */
  readonly lines: ReadonlyMap<LogRecord, number>;
  /** Lines that say nothing that could be on the log, and why. */
  readonly problems: readonly string[];
}

/**
 * Reads lines of `{"topic", "at", "key", "value"}`: JSON, the topic by its name, `at` the record's timestamp in
 * milliseconds, the value by the topic's schema in `schemas/` (what has a default may lack, what isn't known is
 * ignored) or null. Blank lines are skipped.
 */
export const readHistory = async (lines: AsyncIterable<string>): Promise<History> => {
  const read = new Map<LogRecord, number>();
  const problems: string[] = [];
  const recordOf = reader();
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    try {
      read.set(recordOf(line), number);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      problems.push(`line ${number}: ${messageOf(error)}`);
    }
  }
  const records = [...read.keys()].toSorted((a, b) => a.loggedAt - b.loggedAt);
  return { records, lines: read, problems };
};

const reader = () => {
  const known = new Map<string, readonly [TopicId, AvroType]>(
    TOPICS.map((id) => [topics[id].name, [id, avroType(schemaOf(topics[id]))]]),
  );
  return (line: string): LogRecord => {
    const said = parsed(line);
    const { topic: name, at, key, value } = said;
    const [topic, type] = (typeof name === "string" ? known.get(name) : undefined) ?? refuse(unknown(name, known));
    if (!Number.isSafeInteger(at) || (at as Millis) < 0) refuse("at is not a time in whole milliseconds, 0 or more");
    if (typeof key !== "string") return refuse("key is not a string");
    checkId(key, "key");
    if (value === undefined) refuse("value is missing; a tombstone's is null");
    const timestamp = at as Millis;
    const record = recordOf(topic, type, timestamp, key, topic === "settings" ? ofRole(key, value) : value);
    for (const processor of [conversations, inboxes, mailer]) processor.read(record); // the rules refuse what they would
    settingsTable.apply(noSettings, record);
    return record;
  };
};

const parsed = (line: string): Readonly<Record<string, unknown>> => {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch (error) {
    return refuse(`not JSON: ${messageOf(error)}`);
  }
  return isObject(said) ? said : refuse("not an object");
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const unknown = (name: unknown, known: ReadonlyMap<string, unknown>): string =>
  `topic is ${name === undefined ? "missing" : JSON.stringify(name)}; it may be ${[...known.keys()].join(", ")}`;

/** Settings needn't say their role again: it is the key. */
const ofRole = (key: string, value: unknown): unknown =>
  isObject(value) && !("role" in value) ? { role: key, ...value } : value;

const recordOf = (topic: TopicId, type: AvroType, timestamp: Millis, key: string, given: unknown): LogRecord => {
  if (given === null) return { topic, key, value: null, at: timestamp, loggedAt: timestamp };
  const value = withDefaults(type, given) as { readonly occurredAt: Millis };
  const problems = problemsOf(type, value);
  if (problems.length > 0) refuse(problems.map((problem) => `value: ${problem}`).join("; "));
  return { topic, key, value, at: Math.min(value.occurredAt, timestamp), loggedAt: timestamp } as unknown as LogRecord; // by its schema
};

const refuse = (why: string): never => {
  throw new Poison(why);
};
