import { product } from "../domain/topics.ts";
import type { Effect, Processor } from "../domain/effect.ts";
import { conversations } from "../conversations/rule.ts";
import type { LogRecord } from "../domain/log-record.ts";
import type { ConversationId, UserId } from "../domain/ids.ts";
import { type Keyed, nothing } from "../platform/contract/processor.ts";
import type { ConversationView } from "../domain/records.ts";
import type { SettingsFields } from "../domain/role-settings.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { Notice, Part } from "../inboxes/notification.ts";
import { inboxes } from "../inboxes/rule.ts";
import { triggered } from "../inboxes/snapshot.ts";
import { MAIL_QUEUE, mailer } from "../mailer/rule.ts";
import { drive, part } from "../platform/simulation/driver.ts";
import { DAILY, type Figures, READ_WITHIN, tally, type Tally } from "./tally.ts";

/** Settings by role, in place of what the log says of these roles. */
export type Roles = ReadonlyMap<string, SettingsFields>;

/** The stretch [from, to) of a log: what is before it only leads up to it. */
export interface Stretch {
  readonly from: Millis;
  readonly to: Millis;
}

/** What comes of a stretch with some settings. */
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
  /** From how many notifications on a day on each class of `days` is. */
  readonly daily: readonly number[];
  readonly today: Figures;
  readonly other: Figures;
  /** Those whose number of notifications differs most, the most first. */
  readonly users: readonly { readonly userId: UserId; readonly today: number; readonly other: number }[];
}

/** Records folded together: users are at hand for several events, and little lives long enough to be moved. */
const WINDOW = 500;
/** Users that are named. */
const MAX_USERS = 10;

/**
 * Folds records, which come in the order of their timestamps, with the settings in `roles` from the beginning on and
 * nothing of what the log says of those roles. Reads a little beyond the stretch, to see what is read by itself.
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
    const id = String(++told); // nobody will ask whether it is the same as in another run
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

/** What came of the same records with today's settings, and with others. */
export const compared = (today: Outcome, other: Outcome): Comparison => ({
  records: today.records,
  refused: today.refused,
  daily: DAILY,
  today: today.figures,
  other: other.figures,
  users: changed(today.users, other.users),
});

/** A conversation of a snapshot that nobody will see: without texts and names, and of one message. */
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

/** Somebody reads, or shows by writing that they have. `key` is their id. */
interface Reading extends Keyed {
  readonly type: "reading";
  readonly conversation: ConversationId;
  readonly until: Millis;
}

/** Keeps nothing and decides nothing: hears of what is read, after who is told of what came before. */
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
