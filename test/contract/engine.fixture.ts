import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import { type Processor, fanOut, multicasts } from "../../services/domain/effect.ts";
import type { Codec } from "../../services/platform/contract/ports.ts";
import { eachOf, type Keyed, type GlobalTable } from "../../services/platform/contract/processor.ts";
import type { Millis } from "../../services/platform/contract/time.ts";

/** Two tiny stages that write down the events that they fold, in order. */

/** A codec for any value. */
export const codec: Codec = {
  prepare: () => Promise.resolve(),
  decode: (_topic, value): unknown => deserialize(value),
  encode: (_topic, value) => serialize(value),
};

export const START: Millis = 1_000_000_000;
interface Said extends Keyed {
  readonly what: string;
  /** Time after the record at which its row wants to be woken. */
  readonly wake: Millis | null;
}
/** A `log` row has the lines of one key. Each `timer` row wakes by itself and writes into the log of its key. */
export type Row =
  | { readonly type: "log"; readonly lines: readonly string[] }
  | { readonly type: "timer"; readonly from: Millis; readonly at: Millis };

type Timer = Extract<Row, { readonly type: "timer" }>;

export const logKey = (key: string): string => `log ${key}`;
const timerKey = (key: string, number: number): string => `timer ${key} ${number}`;

const settingsTable: GlobalTable<readonly (readonly [loggedAt: Millis, by: Millis])[]> = {
  topics: ["settings"],
  initial: [],
  apply: (known, { loggedAt: timestamp, value }) => [
    ...known,
    [timestamp, (value as unknown as { by?: Millis }).by ?? 0],
  ],
};
type Known = readonly (readonly [loggedAt: Millis, by: Millis])[];
/** Milliseconds by which timers of the second stage ring earlier, by the settings at a time. */
const sooner = (known: Known, at: Millis): Millis => known.filter(([loggedAt]) => loggedAt <= at).at(-1)?.[1] ?? 0;
/** The first time at which a timer rings, by the settings at each time. */
const ringing = (known: Known, { at: due, from: set }: Timer): Millis => {
  const changes = known.map(([loggedAt]) => loggedAt);
  const starts = [set, ...changes.filter((change) => change > set)];
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? Infinity;
    const at = Math.max(start, due - sooner(known, start));
    if (at < end) return at;
  }
  return due;
};

const steps = <Given>(by: (given: Given, timer: Timer) => Millis) => ({
  rows: (event: Said) => eachOf(event).flatMap(({ key, what }) => [logKey(key), timerKey(key, crc32(what) % 3)]),
  fold(
    event: Said | { readonly type: "due"; readonly key: string; readonly at: Millis },
    rows: { get(key: string): Row | undefined },
    given: Given,
  ) {
    const user = "type" in event ? (event.key.split(" ")[1] ?? "") : event.key;
    const had = rows.get(logKey(user));
    const lines = had?.type === "log" ? had.lines : [];
    if ("type" in event) {
      const row = rows.get(event.key);
      if (row?.type !== "timer" || by(given, row) > event.at) throw new Error(`${event.key} woken too early`);
      const line = `${event.key} rings at ${event.at - START}`;
      return {
        writes: [
          [event.key, null],
          [logKey(user), { type: "log", lines: [...lines, line] }],
        ] as const,
        line,
        user,
      };
    }
    const line = `${event.what} at ${event.loggedAt - START}`;
    const timer = timerKey(user, crc32(event.what) % 3);
    const set =
      event.wake === null
        ? []
        : [[timer, { type: "timer", from: event.loggedAt, at: event.loggedAt + event.wake }] as const];
    return { writes: [[logKey(user), { type: "log", lines: [...lines, line] }] as const, ...set], line, user };
  },
});

interface Content {
  readonly what: string;
  readonly wake: Millis | null;
  readonly to: readonly string[];
}

export const first: Processor<Row, Said & { readonly to: readonly string[] }> = {
  name: "conversations",
  inputs: ["messages", "participants"],
  home: "conversationStrays",
  strays: "conversationStrays",
  multicasts,
  order: "log time",
  upstream: [
    {
      processor: "conversations",
      home: "conversationStrays",
      from: ["messages", "participants"],
      to: "conversationStrays",
      by: "read",
    },
  ],
  read: ({ key, value, at, loggedAt: timestamp }) => [
    { key, at, loggedAt: timestamp, ...(value as unknown as Content) },
  ],
  rows: steps<undefined>((_none, { at }) => at).rows,
  fold(event, rows, given) {
    const { writes } = steps<undefined>((_none, { at }) => at).fold(event, rows, given);
    if ("type" in event) return { writes, effects: [] };
    const entry = { what: event.what, wake: event.wake, occurredAt: event.at, loggedAt: event.loggedAt, mentioned: [] };
    const more = { type: "CANDIDATE", recipients: event.to, conversationId: event.key, messageId: event.what };
    return { writes, effects: [fanOut({ ...entry, ...more } as never)] };
  },
  wake: (row) => (row.type === "timer" ? row.at : null),
};

/** The first stage with a limit of one record for the second. */
export const inStep: typeof first = { ...first, feeds: { processor: "inboxes", topic: "inbox", most: 1 } };

export const second: Processor<Row, Said, Known> = {
  name: "inboxes",
  inputs: ["presence", "users", "inbox"],
  home: "inbox",
  strays: "inboxStrays",
  order: "log time",
  upstream: [
    ...first.upstream,
    {
      processor: "conversations",
      home: "conversationStrays",
      from: ["messages", "participants", "conversationStrays"],
      to: "inbox",
      by: "folded",
    },
    { processor: "inboxes", home: "inbox", from: ["presence", "users"], to: "inboxStrays", by: "read" },
  ],
  globalTable: settingsTable,
  read(record) {
    if (record.topic !== "inbox")
      return [{ key: record.key, at: record.at, loggedAt: record.loggedAt, ...(record.value as unknown as Content) }];
    return (record.value?.entries ?? []).flatMap((entry) => {
      const { what, wake } = entry as unknown as Content;
      const [key] = entry.recipients;
      if (key === undefined) return [];
      return [{ key, keys: entry.recipients, at: entry.occurredAt, loggedAt: entry.loggedAt, what, wake }];
    });
  },
  rows: steps<Known>(ringing).rows,
  fold: (event, rows, known) => ({ writes: steps<Known>(ringing).fold(event, rows, known).writes, effects: [] }),
  wake: (row, known) => (row.type === "timer" ? ringing(known, row) : null),
};
