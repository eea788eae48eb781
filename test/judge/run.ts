import type { LogRecord } from "../../services/core/event.ts";
import type { LedgerEntry } from "../../services/core/records.ts";
import { defaultSettings } from "../../services/core/settings.ts";
import { type TopicId, topicIds, topics } from "../../services/core/topics.ts";
import { conversations } from "../../services/conversations/rule.ts";
import { inboxes } from "../../services/inboxes/rule.ts";
import { drive, part } from "../../services/memory/driver.ts";
import type { Line } from "./history.ts";
import type { Triggered } from "./judge.ts";

const ids = new Map(topicIds.map((id) => [topics[id].name, id]));

/** Fields that no judge looks at, and records have. */
const blank: Partial<Record<TopicId, object>> = {
  messages: { text: "", attachments: [], referencedMessageId: null, custom: {} },
  users: { locale: null, photoUrl: null, custom: {} },
  conversations: { photoUrl: null, custom: {} },
};

/** A line as the log would give it to a processor. */
export const recordOf = ({ topic: name, at: timestamp, key, value }: Line): LogRecord => {
  const topic = ids.get(name);
  if (topic === undefined) throw new Error(`no topic ${name}`);
  const at = Math.min(value?.occurredAt ?? timestamp, timestamp);
  const whole = name === "notification.settings" ? settingsOf(key, value) : { ...blank[topic], ...value };
  return { topic, key, value: value === null ? null : whole, at, timestamp } as LogRecord;
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

/** What the project's processors decided. */
export interface Decided {
  readonly told: readonly Triggered[];
  /** What the ledger has about each user, in order. */
  readonly ledger: ReadonlyMap<string, readonly LedgerEntry[]>;
}

/** What the project's processors decide by `until`, in memory. */
export const decided = (lines: readonly Line[], until: number): Decided => {
  const told: Triggered[] = [];
  const ledger = new Map<string, LedgerEntry[]>();
  const refused = (record: LogRecord, _by: string, error: unknown): void => {
    throw new Error(`refused: ${JSON.stringify(record)}`, { cause: error });
  };
  const published = ({ topic, value }: LogRecord): void => {
    if (topic !== "notifications" || value?.type !== "TRIGGERED") return;
    const { userId, conversationId, messageIds, occurredAt: at } = value;
    told.push({ userId, conversationId, messageIds: [...messageIds], at });
  };
  const noted = (entry: LedgerEntry): void => {
    for (const user of entry.users) {
      const its = ledger.get(user);
      if (its === undefined) ledger.set(user, [entry]);
      else its.push(entry);
    }
  };
  const driver = drive({ parts: [part(conversations), part(inboxes)], published, noted, refused });
  for (const line of lines.toSorted((a, b) => a.at - b.at)) if (line.at <= until) driver.feed(recordOf(line));
  driver.advance(until);
  return { told, ledger };
};

/** Notifications in an order of their own: messages of one time on several partitions have none. */
export const briefly = (told: readonly Triggered[]): readonly string[] =>
  told
    .map(({ userId, conversationId, messageIds, at }) =>
      JSON.stringify([at, userId, conversationId, messageIds.toSorted()]),
    )
    .toSorted();
