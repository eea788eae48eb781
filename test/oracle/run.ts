import type { LogRecord } from "../../services/domain/log-record.ts";
import type { LedgerEntry, NotificationEvent } from "../../services/domain/records.ts";
import { defaultSettings } from "../../services/domain/role-settings.ts";
import { type TopicId, topicIds, topics, product } from "../../services/domain/topics.ts";
import { conversations } from "../../services/conversations/rule.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { drive, part } from "../../services/platform/simulation/driver.ts";
import type { Line } from "./history.ts";
import type { Triggered } from "./judge.ts";

const ids = new Map(topicIds.map((id) => [topics[id].name, id]));

/** Fields of records that no judge reads. */
const blank: Partial<Record<TopicId, object>> = {
  messages: { text: "", attachments: [], referencedMessageId: null, custom: {} },
  users: { locale: null, photoUrl: null, custom: {} },
  conversations: { photoUrl: null, custom: {} },
};

/** A line as a log record for a processor. */
export const recordOf = ({ topic: name, at: timestamp, key, value }: Line): LogRecord => {
  const topic = ids.get(name);
  if (topic === undefined) throw new Error(`no topic ${name}`);
  const at = Math.min(value?.occurredAt ?? timestamp, timestamp);
  const whole = name === "notification.settings" ? settingsOf(key, value) : { ...blank[topic], ...value };
  return { topic, key, value: value === null ? null : whole, at, loggedAt: timestamp } as LogRecord;
};

const settingsOf = (role: string, value: object | null): object => {
  const cooldown = value !== null && "cooldown" in value ? value.cooldown : {};
  return {
    ...defaultSettings,
    role,
    version: 1,
    ...value,
    cooldown: { ...defaultSettings.cooldown, ...(cooldown as object) },
  };
};

/** The decisions of the project's processors. */
export interface Decided {
  readonly told: readonly Triggered[];
  /** The ledger entries about each user, in order. */
  readonly ledger: ReadonlyMap<string, readonly LedgerEntry[]>;
}

/**
 * Runs the project's processors on a history in memory until an instant. @param window number of records that are
 * folded together
 */
export const decided = (lines: readonly Line[], until: number, window?: number): Decided => {
  const inOrder = lines.toSorted((a, b) => a.at - b.at).filter(({ at }) => at <= until);
  const { events, ledger } = heard(inOrder.map(recordOf), until, window);
  const told = events.map(({ userId, conversationId, messageIds, occurredAt: at }) => {
    return { userId, conversationId, messageIds: [...messageIds], at };
  });
  return { told, ledger };
};

/**
 * The TRIGGERED events and verdicts of the project's processors, in memory. @param records in the order of their
 * timestamps
 */
export const heard = (records: Iterable<LogRecord>, until: number, window = 1) => {
  const events: NotificationEvent[] = [];
  const ledger = new Map<string, LedgerEntry[]>();
  const driver = drive({
    product,
    window,
    parts: [part(conversations), part(inboxes)],
    published({ topic, value }) {
      const event = value as NotificationEvent | null;
      if (topic === "notifications" && event?.type === "TRIGGERED") events.push(event);
    },
    multicast: {
      ledger: (noted) => {
        const entry = noted as LedgerEntry;
        for (const user of entry.users) {
          const its = ledger.get(user);
          if (its === undefined) ledger.set(user, [entry]);
          else its.push(entry);
        }
      },
    },
    refused(record, _by, error) {
      throw new Error(`refused: ${JSON.stringify(record)}`, { cause: error });
    },
  });
  for (const record of records) driver.feed(record);
  driver.advance(until);
  return { events, ledger };
};

/** Notifications in a fixed order: messages of one time on several partitions have none. */
export const briefly = (told: readonly Triggered[]): readonly string[] =>
  told
    .map(({ userId, conversationId, messageIds, at }) =>
      JSON.stringify([at, userId, conversationId, messageIds.toSorted()]),
    )
    .toSorted();
