import { conversations } from "../../conversations/rule.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import { isPoisonous, messageOf, Poison } from "../../platform/contract/failure.ts";
import { checkId } from "../../platform/contract/identity.ts";
import { noSettings, settingsTable } from "../../domain/role-settings.ts";
import { MAX_TIME, type Millis } from "../../platform/contract/time.ts";
import { type TopicId, topics } from "../../domain/topics.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { mailer } from "../../mailer/rule.ts";
import { type AvroType, avroType, problemsOf, withDefaults } from "../../platform/adapters/registry/avro.ts";
import { schemaOf } from "../../platform/adapters/registry/codec.ts";
import { isObject } from "../json.ts";
import { type Remarks, remarksOn } from "./record-fields.ts";

/** Topics of which a history may have records: every topic that decides notifications. */
const TOPICS = ["messages", "participants", "conversations", "presence", "users", "settings", "preferences"] as const;

/** A history that was read from lines. */
export interface History {
  /** Stably in the order of their timestamps. */
  readonly records: readonly LogRecord[];
  /** Number of each record's line, from 1. */
  readonly lines: ReadonlyMap<LogRecord, number>;
  /** Wrong lines, by number, with the reason. */
  readonly problems: readonly string[];
  /** Lines with unknown fields, which may be misspelt. */
  readonly warnings: readonly string[];
}

/** Schema of one topic's values. */
interface Reading {
  readonly topic: TopicId;
  readonly type: AvroType;
  readonly remarks: (value: unknown) => Remarks;
}

const FIELDS = ["topic", "at", "key", "value"];
const TIMES = `milliseconds since the epoch, from ${-MAX_TIME} to ${MAX_TIME}`;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Reads lines of `{"topic", "at", "key", "value"}`: JSON, the topic by its name, `at` the record's timestamp in
 * milliseconds, the value by the topic's schema in `schemas/` or null. A field with a default may be left out. An unknown
 * field is ignored with a warning. Blank lines and byte order marks are skipped.
 */
export const readHistory = async (lines: AsyncIterable<string>): Promise<History> => {
  const read = new Map<LogRecord, number>();
  const problems: string[] = [];
  const warnings: string[] = [];
  const recordOf = reader();
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    try {
      const warn = (text: string): void => void warnings.push(`line ${number}: ${text}`);
      read.set(recordOf(line.replace(BYTE_ORDER_MARK, ""), warn), number);
    } catch (error) {
      if (!isPoisonous(error)) throw error;
      problems.push(`line ${number}: ${messageOf(error)}`);
    }
  }
  const records = [...read.keys()].toSorted((a, b) => a.loggedAt - b.loggedAt);
  return { records, lines: read, problems, warnings };
};

const reader = () => {
  const known = new Map<string, Reading>(
    TOPICS.map((topic) => {
      const schema = schemaOf(topics[topic]);
      return [topics[topic].name, { topic, type: avroType(schema), remarks: remarksOn(schema) }];
    }),
  );
  return (line: string, warn: (text: string) => void): LogRecord => {
    const said = parsed(line);
    const { topic: name, at, key, value } = said;
    for (const field of Object.keys(said))
      if (!FIELDS.includes(field))
        warn(`${field} is no field of a line, which has ${FIELDS.join(", ")}; it is ignored`);
    const reading = (typeof name === "string" ? known.get(name) : undefined) ?? refuse(unknown(name, known));
    if (!Number.isSafeInteger(at) || (at as Millis) < 0 || (at as Millis) > MAX_TIME)
      refuse(`at is not a time in whole milliseconds, from 0 to ${MAX_TIME}`);
    if (typeof key !== "string") return refuse("key is not a string; give the key of the record on its topic");
    checkId(key, "key");
    if (value === undefined) refuse("value is missing; a tombstone's is null");
    const record = recordOf(
      reading,
      at as Millis,
      key,
      reading.topic === "settings" ? ofRole(key, value) : value,
      warn,
    );
    for (const processor of [conversations, inboxes, mailer]) processor.read(record); // throws the refusals of the services' own rules
    settingsTable.apply(noSettings, record);
    return record;
  };
};

const parsed = (line: string): Readonly<Record<string, unknown>> => {
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch (error) {
    return refuse(`not JSON: ${messageOf(error)}; a line is one JSON object`);
  }
  return isObject(said)
    ? said
    : refuse(`not an object; a line is {${FIELDS.map((field) => `"${field}": …`).join(", ")}}`);
};

const unknown = (name: unknown, known: ReadonlyMap<string, unknown>): string =>
  `topic is ${name === undefined ? "missing" : JSON.stringify(name)}; it may be ${[...known.keys()].join(", ")}`;

/** Completes settings without a role: the key is the role. */
const ofRole = (key: string, value: unknown): unknown =>
  isObject(value) && !("role" in value) ? { role: key, ...value } : value;

const recordOf = (
  { topic, type, remarks }: Reading,
  timestamp: Millis,
  key: string,
  json: unknown,
  warn: (text: string) => void,
): LogRecord => {
  if (json === null) return { topic, key, value: null, at: timestamp, loggedAt: timestamp };
  const { unknown: ignored, beyond } = remarks(json);
  for (const text of ignored) warn(`value: ${text}; it is ignored`);
  const value = withDefaults(type, json) as { readonly occurredAt: Millis };
  const problems = [
    ...beyond.map((path) => `${path} is beyond the range of dates: give ${TIMES}`),
    ...problemsOf(type, value).filter((problem) => !beyond.some((path) => problem.startsWith(`${path} `))),
  ];
  if (problems.length > 0) refuse(problems.map((problem) => `value: ${problem}`).join("; "));
  return { topic, key, value, at: Math.min(value.occurredAt, timestamp), loggedAt: timestamp } as unknown as LogRecord; // by its schema
};

const refuse = (why: string): never => {
  throw new Poison(why);
};
