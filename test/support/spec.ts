import { expect } from "vitest";
import { type Effect, type Processor, isFanOut, isNote } from "../../services/domain/effect.ts";
import { type ChatRow, conversationKey, messageKey } from "../../services/domain/conversation-rows.ts";
import type { Lookup } from "../../services/platform/contract/effect.ts";
import type { LogRecord, NewRecord } from "../../services/domain/log-record.ts";
import { partsOf } from "../../services/platform/contract/row-parts.ts";
import { type Due, eachOf, type Keyed } from "../../services/platform/contract/processor.ts";
import type { InboxEntry, LedgerEntry, NotificationEvent } from "../../services/domain/records.ts";
import type { Millis } from "../../services/platform/contract/time.ts";
import { at } from "./chat.ts";

/**
 * Runs a rule without an engine, for specs that read as sentences: `of(rule).after(what was).on(what
 * happens).causes(what follows)`.
 */
export interface Spec<Row> {
  after(...said: readonly NewRecord[]): Situation<Row>;
}

export interface Situation<Row> {
  /** The effects of this record alone, without timers. */
  on(said: NewRecord): Outcome<Row>;
  /** The effects of all records so far, and of the timers until then. */
  until(clock: string): Outcome<Row>;
  readonly rows: ReadonlyMap<string, Row>;
}

export interface Outcome<Row> {
  /** The entries for recipients, in order. */
  causes(...entries: readonly Told[]): void;
  /** The notifications, in order. */
  tells(...notices: readonly Notice[]): void;
  /** The verdicts for the ledger, in order. */
  notes(...verdicts: readonly Verdict[]): void;
  /** The facts behind the latest verdict with this reason. */
  facts(reason: string | null): LedgerEntry["facts"];
  /** The only notification. */
  notification(): NotificationEvent;
  readonly rows: ReadonlyMap<string, Row>;
}

/** An inbox entry without the fields that a spec doesn't name. */
export type Told = Pick<InboxEntry, "type" | "recipients"> & Partial<InboxEntry>;

/** A verdict in the words of a spec. */
export type Verdict = Pick<LedgerEntry, "verdict" | "reason" | "users" | "messageIds">;

export const rejected = (reason: string, messageId: string, ...users: readonly string[]): Verdict => ({
  verdict: "REJECTED",
  reason,
  users,
  messageIds: [messageId],
});

export interface Notice {
  readonly at: Millis;
  readonly conversationId: string | null;
  readonly messageIds: readonly string[];
}

/** A notification, as `tells` expects it. */
export const told = (clock: string, conversationId: string, ...messageIds: readonly string[]): Notice => ({
  at: at(clock),
  conversationId,
  messageIds,
});

/** @param chat rows of `conversations` that notifications look up */
export const of = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: Given,
  chat: readonly ChatRow[] = [],
): Spec<Row> => ({
  after: (...said) => situation(processor, given, chat, said),
});

const situation = <Row, Event extends Keyed, Given>(
  processor: Processor<Row, Event, Given>,
  given: Given,
  chat: readonly ChatRow[],
  before: readonly NewRecord[],
): Situation<Row> => {
  const lived = (more: readonly NewRecord[], until: Millis) => {
    const { rows, fold, wakeUntil } = life(processor, given);
    const earlier = before.flatMap((said) => fold(said));
    const effects = more.flatMap((said) => fold(said));
    return { rows, effects: more.length > 0 ? effects : [...earlier, ...wakeUntil(until)] };
  };
  const parts = partsOf(processor);
  const partOf = (rows: ReadonlyMap<string, Row>, part: string): unknown => {
    const row = rows.get(parts.rowOf(part));
    return row === undefined ? undefined : parts.part(row, part);
  };
  const outcome = ({ rows, effects }: { rows: Map<string, Row>; effects: readonly Effect[] }): Outcome<Row> => {
    const found = ({ processor: name, key }: Lookup): unknown =>
      name === processor.name ? partOf(rows, key) : chat.find((row) => chatKey(row) === key);
    const all = effects.flatMap((effect) =>
      effect.type === "compose" ? (processor.compose?.(effect.payload, found) ?? []) : [effect],
    );
    const notifications = all.flatMap((effect) =>
      effect.type === "publish" && effect.topic === "notifications" ? [effect.value] : [],
    );
    return {
      rows,
      causes: (...entries) =>
        expect(all.flatMap((effect) => (isFanOut(effect) ? [brief(effect.entry, entries)] : []))).toEqual(entries),
      tells: (...notices) =>
        expect(
          notifications.map(({ conversationId, messageIds, occurredAt }) => ({
            at: occurredAt,
            conversationId,
            messageIds,
          })),
        ).toEqual(notices),
      notes: (...verdicts) =>
        expect(
          all.flatMap((effect) => {
            if (!isNote(effect)) return [];
            const { entry, keys: users } = effect;
            const { verdict, reason, messageIds } = entry;
            return [{ verdict, reason, users, messageIds }];
          }),
        ).toEqual(verdicts),
      facts(reason) {
        const verdicts = all.flatMap((effect) => (isNote(effect) ? [effect.entry] : []));
        return verdicts.findLast((entry) => entry.reason === reason)?.facts ?? {};
      },
      notification() {
        expect(notifications).toHaveLength(1);
        return notifications[0] as NotificationEvent;
      },
    };
  };
  return {
    on: (said) => outcome(lived([said], -Infinity)),
    until: (clock) => outcome(lived([], at(clock))),
    get rows() {
      return lived([], -Infinity).rows;
    },
  };
};

/** Only the fields that an expectation names are compared. */
const brief = (entry: InboxEntry, expected: readonly Told[]): Told => {
  const named = new Set([
    "type",
    "recipients",
    "mentioned",
    "reason",
    ...expected.flatMap((each) => Object.keys(each)),
  ]);
  const isSaid = ([name, value]: readonly [string, unknown]): boolean =>
    named.has(name) && value !== null && !(name === "mentioned" && (value as readonly string[]).length === 0);
  return Object.fromEntries(Object.entries(entry).filter(isSaid)) as unknown as Told;
};

const chatKey = (row: ChatRow): string | null => {
  if (row.type === "recent") return null;
  return row.type === "conversation"
    ? conversationKey(row.conversationId)
    : messageKey(row.conversationId, row.messageId);
};

/** Folds records at their times, after the timers of every row before them, the earliest first. */
const life = <Row, Event extends Keyed, Given>(processor: Processor<Row, Event, Given>, given: Given) => {
  const rows = new Map<string, Row>();
  const written = new Set<string>();
  const parts = partsOf(processor);
  const stored = new Map<string, string>();

  const run = (event: Event | Due): readonly Effect[] => {
    const { writes, effects } = processor.fold(event, { get: (key) => rows.get(key), expect: () => undefined }, given);
    for (const [key, row] of writes) {
      if (row === null) rows.delete(key);
      else rows.set(key, row);
      written.add(key);
    }
    return effects;
  };
  const wakeUntil = (until: Millis): readonly Effect[] => {
    const effects: Effect[] = [];
    for (;;) {
      let next: Due | null = null;
      for (const [key, row] of rows) {
        const due = processor.wake(row, given);
        if (due !== null && due <= until && (next === null || due < next.at)) next = { type: "due", key, at: due };
      }
      if (next === null) return effects;
      effects.push(...run(next));
    }
  };
  /** Saves rows as JSON and reads them back, as from a database. */
  const save = (): void => {
    for (const key of written) {
      for (const [part, value] of parts.changed(key, rows.get(key) ?? null))
        if (value === null) stored.delete(part);
        else stored.set(part, JSON.stringify(value));
      const { keys, prefix } = parts.span(key);
      const own = [...stored].filter(([part]) => keys.includes(part) || (prefix !== null && part.startsWith(prefix)));
      const row = parts.assemble(key, new Map(own.map(([part, json]) => [part, JSON.parse(json) as unknown])));
      if (row !== undefined) rows.set(key, row);
    }
    written.clear();
  };
  const fold = (said: NewRecord): readonly Effect[] => {
    const events = processor.read(logRecord(said)).flatMap(eachOf);
    const effects = events.flatMap((event) => [...wakeUntil(event.at - 1), ...run(event)]);
    save();
    return effects;
  };
  return { rows, fold, wakeUntil };
};

/** A record as an engine would hand it to a rule. */
export const logRecord = ({ topic, key, value, timestamp }: NewRecord): LogRecord => {
  const own = (value as { readonly occurredAt?: Millis } | null)?.occurredAt;
  const logged = timestamp ?? own ?? 0;
  return { topic, key, value, at: Math.min(own ?? logged, logged), loggedAt: logged } as LogRecord;
};
