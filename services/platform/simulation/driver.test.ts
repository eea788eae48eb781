import { type InboxRecord } from "../../domain/records.ts";
import { expect, test } from "vitest";
import { conversations } from "../../conversations/rule.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import { Poison } from "../contract/failure.ts";
import type { Due, Keyed, Processor } from "../contract/processor.ts";
import type { Effect } from "../contract/effect.ts";
import { type TopicId, product } from "../../domain/topics.ts";
import { SECOND } from "../contract/time.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { mailer } from "../../mailer/rule.ts";
import type { NewRecord } from "../../domain/log-record.ts";
import { at, message, participant, presence, user } from "../../../test/support/chat.ts";
import { drive, part } from "./driver.ts";

interface Heard extends Keyed {
  readonly type: "heard";
  readonly text: string;
}

interface Toy {
  readonly name: string;
  readonly inputs: readonly TopicId[];
  /** The effects of an event; `line` is the line that it writes to the log. */
  readonly effects?: (line: string, at: number) => readonly Effect[];
}

/** A processor that logs all that it folds. A timer fires as long after an event as the global table says: 10 ms at first. */
const toy = ({ name, inputs, effects = () => [] }: Toy, log: string[]): Processor<number, Heard, number> => ({
  name,
  inputs,
  home: "inbox",
  strays: null,
  order: "log time",
  upstream: [],
  globalTable: {
    topics: ["settings"],
    initial: 10,
    apply: (_, { value }) => (value as { timeout: number } | null)?.timeout ?? 10,
  },
  read(record) {
    if (record.key === "bad") throw new Poison("unreadable");
    const key =
      record.topic === "inbox" ? ((record.value as InboxRecord | null)?.entries[0]?.conversationId ?? "") : record.key;
    return [{ type: "heard", key, text: `${record.topic} ${key}`, at: record.at, loggedAt: record.loggedAt }];
  },
  rows: () => [],
  fold(event: Heard | Due) {
    if (event.key === "odd") throw new Poison("not to be folded");
    const line = event.type === "due" ? `timer of ${event.key}` : event.text;
    log.push(`${event.at} ${name}: ${line}`);
    return { writes: [[event.key, event.type === "due" ? null : event.at]], effects: effects(line, event.at) };
  },
  wake: (row, given) => row + given,
});

const heard = (topic: TopicId, key: string, timestamp: number, own = timestamp): LogRecord => ({
  topic,
  key,
  value: null,
  at: own,
  loggedAt: timestamp,
});
const settings = (timeout: number, timestamp: number): LogRecord =>
  ({
    topic: "settings",
    key: "default",
    value: { timeout },
    at: timestamp,
    loggedAt: timestamp,
  }) as unknown as LogRecord;

const entryFor = (conversationId: string, time: number): Effect => ({
  type: "multicast",
  topic: "inbox",
  keys: ["ada"],
  entry: {
    type: "OWN",
    conversationId,
    messageId: null,
    senderId: null,
    sentAt: time,
    reason: null,
    recipients: ["ada"],
    mentioned: [],
    since: null,
    occurredAt: time,
    loggedAt: time,
  },
});

test("a timer fires at its own time, before a later record and after every record of that time", () => {
  const log: string[] = [];
  const driver = drive({ product, parts: [part(toy({ name: "one", inputs: ["users"] }, log))] });
  driver.feed(heard("users", "a", 100));
  driver.feed(heard("users", "b", 105));
  driver.feed(heard("users", "c", 110));
  driver.feed(heard("users", "d", 112));
  driver.advance(120);
  expect(log).toEqual([
    "100 one: users a",
    "105 one: users b",
    "110 one: users c",
    "110 one: timer of a",
    "112 one: users d",
    "115 one: timer of b",
    "120 one: timer of c",
  ]);
});

test("records of one time are taken by their own time, then by their topic, then in the order of arrival", () => {
  const log: string[] = [];
  const all = toy({ name: "one", inputs: ["users", "presence", "messages"] }, log);
  const driver = drive({ product, parts: [part(all)] });
  for (const record of [
    heard("messages", "m", 100),
    heard("presence", "p", 100),
    heard("users", "second", 100),
    heard("users", "third", 100),
    heard("messages", "first", 100, 90),
  ])
    driver.feed(record);
  driver.advance(100);
  expect(log.map((line) => line.split(": ")[1])).toEqual([
    "messages first",
    "users second",
    "users third",
    "presence p",
    "messages m",
    "timer of first",
  ]);
});

test("records that a processor writes are taken by the processors downstream before their timers of that time", () => {
  const log: string[] = [];
  const first = toy(
    { name: "first", inputs: ["messages"], effects: (line, time) => [entryFor(`of ${line}`, time)] },
    log,
  );
  const last = toy({ name: "last", inputs: ["inbox", "presence"] }, log);
  const driver = drive({ product, parts: [part(first), part(last)] });
  driver.feed(heard("presence", "p", 90));
  driver.feed(heard("messages", "m", 100));
  driver.advance(110);
  expect(log).toEqual([
    "90 last: presence p",
    "100 first: messages m",
    "100 last: inbox of messages m",
    "100 last: timer of p",
    "110 first: timer of m",
    "110 last: inbox of timer of m",
    "110 last: timer of of messages m",
  ]);
});

test("a change of the global table holds before the records of its time, and moves the timers that are set", () => {
  const log: string[] = [];
  const driver = drive({ product, parts: [part(toy({ name: "one", inputs: ["users"] }, log))] });
  driver.feed(heard("users", "a", 100));
  driver.feed(heard("users", "b", 105));
  driver.feed(settings(3, 105));
  driver.advance(200);
  expect(log).toEqual(["100 one: users a", "105 one: users b", "105 one: timer of a", "108 one: timer of b"]);
});

test("a flow may begin with its own settings and ignore those of the log", () => {
  const log: string[] = [];
  const driver = drive({
    product,
    parts: [part(toy({ name: "one", inputs: ["messages"] }, log))],
    begins: [settings(1, 0)],
    hears: ({ topic }) => topic !== "settings",
  });
  driver.feed(settings(20, 50));
  driver.feed(heard("messages", "m", 100));
  driver.advance(109);
  expect(log).toEqual(["100 one: messages m", "101 one: timer of m"]);
});

test("a record that a rule refuses is reported, and changes nothing", () => {
  const log: string[] = [];
  const refused: string[] = [];
  const driver = drive({
    product,
    parts: [part(toy({ name: "one", inputs: ["users"] }, log))],
    refused: ({ key }, processor, error) => refused.push(`${processor} ${key}: ${(error as Error).message}`),
  });
  for (const key of ["bad", "odd", "good"]) driver.feed(heard("users", key, 100));
  driver.advance(100);
  expect(log).toEqual(["100 one: users good"]);
  expect(refused).toEqual(["one bad: unreadable", "one odd: not to be folded"]);
});

test("a record behind the flow's time is taken at that time", () => {
  const log: string[] = [];
  const driver = drive({ product, parts: [part(toy({ name: "one", inputs: ["users"] }, log))] });
  driver.feed(heard("users", "a", 100));
  driver.feed(heard("users", "late", 95));
  driver.advance(200);
  expect(log).toEqual(["95 one: users late", "100 one: users a", "105 one: timer of late", "110 one: timer of a"]);
});

test("a rule that keeps asking to be woken fails with the key of its row", () => {
  const stuck: Processor<number, Heard, number> = {
    ...toy({ name: "stuck", inputs: ["users"] }, []),
    fold: ({ key }) => ({ writes: [[key, 0]], effects: [] }),
  };
  const driver = drive({ product, parts: [part(stuck)] });
  driver.feed(heard("users", "a", 100));
  expect(() => driver.advance(200)).toThrow(/the row a keeps asking/);
});

/** A record that was logged at its own time. */
const logged = ({ topic, key, value }: NewRecord): LogRecord => {
  const own = (value as { readonly occurredAt: number }).occurredAt;
  return { topic, key, value, at: own, loggedAt: own } as LogRecord;
};

test("the product's processors notify a user of a missed message, and mail them, when the timeout ends", () => {
  const heardOf: string[] = [];
  const driver = drive({
    product,
    parts: [part(conversations), part(inboxes), part(mailer)],
    published: ({ value, loggedAt: timestamp }) =>
      heardOf.push(`${timestamp - at("12:00")} ${(value as { type: string }).type}`),
    enqueued: ({ id, runAt }) => heardOf.push(`${runAt - at("12:00")} mail ${id.split("/")[1]}`),
  });
  for (const said of [
    user("ada", "11:00"),
    participant("c", "ada", "11:00"),
    participant("c", "bob", "11:00"),
    presence("ada", "ONLINE", "11:00"),
    presence("ada", "OFFLINE", "11:00:10"),
    message("c", "bob", "m1", "12:00"),
  ])
    driver.feed(logged(said));
  driver.advance(at("12:04:59"));
  expect(heardOf).toEqual([]);
  driver.advance(at("12:05"));
  expect(heardOf).toEqual([`${300 * SECOND} TRIGGERED`, `${300 * SECOND} mail ada@example.org`]);
});
