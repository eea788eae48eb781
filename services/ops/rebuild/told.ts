import { SEQUENCE_HEADER, STREAM_HEADER } from "../../platform/contract/stream.ts";
import { nameOfPartition } from "../../platform/contract/topic-partition.ts";
import type { Codec, Log, OutboxEntry, RawRecord } from "../../platform/contract/ports.ts";
import type { NotificationEvent } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { type Reader, readerOf } from "../../platform/runtime/log-reader.ts";
import { decoded } from "../read.ts";

/** A notification that one side decided. */
export interface Telling {
  /** Id of the TRIGGERED event. */
  readonly id: string;
  readonly notificationId: string;
  readonly userId: string;
  readonly conversationId: string | null;
  readonly at: Millis;
}

/** Notifications of one side that the other lacks so far. Notifications of both sides are only counted, to save memory. */
export interface Told extends AsyncDisposable {
  /** Reads both logs on, side by side, to their present ends. Throws Transient. */
  read(): Promise<void>;
  /** Counts notifications in the live outbox as decided by live. */
  add(entries: readonly Pick<OutboxEntry, "value">[]): Promise<void>;
  readonly byBoth: () => number;
  readonly byLive: () => readonly Telling[];
  readonly byRebuilt: () => readonly Telling[];
  /** Time from which both logs are kept; null: retention has deleted nothing. */
  readonly since: () => Millis | null;
}

export const readTold = (logs: { readonly live: Log; readonly rebuilt: Log }, codec: Codec): Told => {
  const live = sideOf(logs.live, codec);
  const rebuilt = sideOf(logs.rebuilt, codec);
  /** Ids from the outbox. Their records on the log are repeats. */
  const added = new Set<string>();
  const isFirst = ({ id }: Telling): boolean => !added.has(id);
  let both = 0;

  const count = (mine: Map<string, Telling>, others: Map<string, Telling>, tellings: readonly Telling[]): void => {
    for (const telling of tellings)
      if (others.delete(telling.id)) both++;
      else mine.set(telling.id, telling);
  };

  return {
    async read() {
      const [from, to] = [live.next(), rebuilt.next()];
      let [ofLive, ofRebuilt] = [await from.next(), await to.next()];
      // The earlier log is read on, so that notifications of both sides meet soon.
      while (ofLive.done !== true || ofRebuilt.done !== true) {
        const isLiveNext = ofRebuilt.done === true || (ofLive.done !== true && live.at() <= rebuilt.at());
        if (isLiveNext) {
          const tellings = ofLive.done === true ? [] : ofLive.value;
          count(live.only, rebuilt.only, tellings.filter(isFirst));
          ofLive = await from.next();
        } else {
          if (ofRebuilt.done !== true) count(rebuilt.only, live.only, ofRebuilt.value);
          ofRebuilt = await to.next();
        }
      }
    },
    async add(entries) {
      const raws = entries.map(({ value }, offset): RawRecord => ({ ...NOWHERE, offset, value }));
      await codec.prepare(raws);
      const tellings = raws.flatMap((raw) => tellingOf(raw, codec) ?? []).filter(isFirst);
      for (const { id } of tellings) added.add(id);
      count(live.only, rebuilt.only, tellings);
    },
    byBoth: () => both,
    byLive: () => [...live.only.values()],
    byRebuilt: () => [...rebuilt.only.values()],
    since: () => latest(live.since(), rebuilt.since()),
    async [Symbol.asyncDispose]() {
      await live.reader[Symbol.asyncDispose]();
      await rebuilt.reader[Symbol.asyncDispose]();
    },
  };
};

const latest = (...times: readonly (Millis | null)[]): Millis | null => {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
};

const NOWHERE = {
  topic: "notifications",
  partition: 0,
  timestamp: Number.MAX_SAFE_INTEGER,
  key: null,
  headers: {},
} as const;

const tellingOf = (raw: RawRecord, codec: Codec): Telling | null => {
  const event = decoded(raw, codec)?.value as NotificationEvent | null | undefined;
  if (event?.type !== "TRIGGERED") return null;
  const { id, notificationId, userId, conversationId, occurredAt: at } = event;
  return { id, notificationId, userId, conversationId, at };
};

/** One side's log of notifications. */
interface Side {
  readonly reader: Reader;
  readonly only: Map<string, Telling>;
  next(): AsyncGenerator<readonly Telling[]>;
  /** Time of the latest notification read. */
  at(): Millis;
  since(): Millis | null;
}

const sideOf = (log: Log, codec: Codec): Side => {
  const reader = readerOf(log, ["notifications"]);
  /** Latest number by partition and stream. A number that comes again was published twice. */
  const lastSequence = new Map<string, number>();
  const begun = new Set<string>();
  let since: Millis | null = null;
  let at: Millis = -1;

  const isNew = (raw: RawRecord): boolean => {
    const stream = raw.headers[STREAM_HEADER];
    if (stream === undefined) return true;
    const name = `${nameOfPartition(raw)}<${utf8.decode(stream)}`;
    const number = Number(utf8.decode(raw.headers[SEQUENCE_HEADER]));
    if (number <= (lastSequence.get(name) ?? -1)) return false;
    lastSequence.set(name, number);
    return true;
  };
  const begin = (raw: RawRecord): void => {
    if (begun.has(nameOfPartition(raw))) return;
    begun.add(nameOfPartition(raw));
    if (raw.offset > 0) since = Math.max(since ?? 0, raw.timestamp);
  };

  return {
    reader,
    only: new Map(),
    at: () => at,
    since: () => since,
    async *next() {
      for await (const raws of reader.toEnd()) {
        await codec.prepare(raws);
        raws.forEach(begin);
        const tellings = raws.filter(isNew).flatMap((raw) => tellingOf(raw, codec) ?? []);
        at = tellings.at(-1)?.at ?? at;
        yield tellings;
      }
    },
  };
};

const utf8 = new TextDecoder();
