import { product } from "../../domain/topics.ts";
import type { Effect, Processor } from "../../domain/effect.ts";
import { conversations } from "../../conversations/rule.ts";
import type { LogRecord } from "../../domain/log-record.ts";
import type { ConversationId, UserId } from "../../domain/ids.ts";
import { type Keyed, nothing } from "../../platform/contract/processor.ts";
import type { ConversationView } from "../../domain/records.ts";
import type { SettingsFields } from "../../domain/role-settings.ts";
import type { Millis } from "../../platform/contract/time.ts";
import type { Notice, Part } from "../../inboxes/notification.ts";
import { inboxes } from "../../inboxes/rule.ts";
import { triggered } from "../../inboxes/snapshot.ts";
import { MAIL_QUEUE, mailer } from "../../mailer/rule.ts";
import { drive, part } from "../../platform/simulation/driver.ts";
import { DAILY, type Figures, READ_WITHIN, tally, type Tally } from "./tally.ts";

/** Settings by role, in place of the settings that the log has for these roles. */
export type Roles = ReadonlyMap<string, SettingsFields>;

/** The stretch [from, to) of a log. Earlier records are folded too, but not counted. */
export interface Stretch {
  readonly from: Millis;
  readonly to: Millis;
}

/** Result of a stretch under some settings. */
export interface Outcome {
  /** Records folded. */
  readonly records: number;
  /** Records that some rule refused. */
  readonly refused: number;
  readonly figures: Figures;
  /** Notifications by user. */
  readonly users: ReadonlyMap<UserId, number>;
}

export interface Comparison extends Pick<Outcome, "records" | "refused"> {
  /** Least number of notifications on a day for each class of `days`. */
  readonly daily: readonly number[];
  readonly today: Figures;
  readonly other: Figures;
  /** Users whose number of notifications differs most, in descending order. */
  readonly users: readonly { readonly userId: UserId; readonly today: number; readonly other: number }[];
}

/** Records folded together. A user's row serves several events, and short-lived objects are collected cheaply. */
const WINDOW = 500;
/** Limit of users named. */
const MAX_USERS = 10;

/**
 * Folds records, in the order of their timestamps. The settings in `roles` hold from the beginning, and the log's settings
 * for those roles are ignored. Reads up to READ_WITHIN beyond the stretch, to see which messages are read anyway.
 */
export const outcomeOf = async (
  source: AsyncIterable<readonly LogRecord[]>,
  { from, to }: Stretch,
  roles: Roles,
): Promise<Outcome> => {
  const counted = tally(from, to);
  let [records, refused, told] = [0, 0, 0];
  const compose = (payload: unknown): readonly Effect[] => {
    const notice = payload as Notice;
    counted.told(notice);
    const id = String(++told); // no reader compares it with the id of another run
    return [triggered(notice, id, id, notice.parts.map(unread))];
  };
  const driver = drive({
    product,
    window: WINDOW,
    parts: [part(conversations), part({ ...inboxes, compose }), part(mailer), part(readings(counted))],
    begins: [...roles].map(([role, fields]) => settingsRecord(role, fields)),
    hears: ({ topic, key }) => topic !== "settings" || !roles.has(key),
    enqueued({ queue, runAt }) {
      if (queue === MAIL_QUEUE) counted.mailed(runAt);
    },
    refused: () => void refused++,
  });

  read: for await (const some of source)
    for (const record of some) {
      if (record.loggedAt >= to + READ_WITHIN) break read;
      records++;
      driver.feed(record);
    }
  driver.advance(to);
  return { records, refused, figures: counted.figures(), users: counted.byUser() };
};

/** Compares the results of the same records under today's settings and under others. */
export const compared = (today: Outcome, other: Outcome): Comparison => ({
  records: today.records,
  refused: today.refused,
  daily: DAILY,
  today: today.figures,
  other: other.figures,
  users: changed(today.users, other.users),
});

/** Makes a conversation for a snapshot without readers: no texts, no names, and one message. */
const unread = ({ conversationId, shown, omitted }: Part): ConversationView => ({
  conversationId,
  subject: null,
  photoUrl: null,
  custom: {},
  access: "READ_WRITE",
  messages: shown.slice(-1).map(({ messageId, sentAt, isMentioned }) => ({
    messageId,
    kind: "USER",
    referencedMessageId: null,
    occurredAt: sentAt,
    sender: null,
    text: "",
    attachments: [],
    mentioned: isMentioned,
  })),
  omitted,
});

const settingsRecord = (role: string, fields: SettingsFields): LogRecord => ({
  topic: "settings",
  key: role,
  value: { role, version: 0, ...fields, occurredAt: 0 },
  at: 0,
  loggedAt: 0,
});

/** A user reads a conversation, or writes in it. `key` is the user's id. */
interface Reading extends Keyed {
  readonly type: "reading";
  readonly conversation: ConversationId;
  readonly until: Millis;
}

/** Counts readings, after the notifications of earlier times. The processor keeps nothing and decides nothing. */
const readings = (counted: Tally): Processor<never, Reading> => ({
  name: "readings",
  inputs: ["presence", "messages"],
  home: "inbox",
  strays: null,
  order: "arrival",
  upstream: [],
  read: readingOf,
  rows: () => [],
  fold(event) {
    if (event.type === "reading") counted.read(event.key, event.conversation, event.until, event.loggedAt);
    return nothing;
  },
  wake: () => null,
});

const readingOf = ({ topic, value, at, loggedAt }: LogRecord): readonly Reading[] => {
  if (value === null) return [];
  if (topic === "presence" && value.type === "READ" && value.conversationId !== null) {
    const { userId: key, conversationId: conversation, readUntil } = value;
    return [{ type: "reading", key, conversation, until: readUntil ?? at, at, loggedAt }];
  }
  if (topic === "messages" && value.type === "SENT" && value.senderId !== null && value.kind === "USER")
    return [{ type: "reading", key: value.senderId, conversation: value.conversationId, until: at, at, loggedAt }];
  return [];
};

const changed = (today: Outcome["users"], other: Outcome["users"]): Comparison["users"] =>
  [...new Set([...today.keys(), ...other.keys()])]
    .map((userId) => ({ userId, today: today.get(userId) ?? 0, other: other.get(userId) ?? 0 }))
    .filter((user) => user.today !== user.other)
    .toSorted((a, b) => Math.abs(b.other - b.today) - Math.abs(a.other - a.today) || (a.userId < b.userId ? -1 : 1))
    .slice(0, MAX_USERS);
