import { conversations } from "../conversations/rule.ts";
import type { LogRecord } from "../core/event.ts";
import { type ConversationId, type MessageId, notificationId, type UserId } from "../core/ids.ts";
import type { InboxEntry, NotificationEvent } from "../core/records.ts";
import type { SettingsFields } from "../core/settings.ts";
import { DAY, type Millis } from "../core/time.ts";
import { inboxes } from "../inboxes/rule.ts";
import { MAIL_QUEUE, mailer } from "../mailer/letter.ts";
import { type Branch, drive, part } from "../memory/driver.ts";
import { type Figures, READ_WITHIN, type Tally, tally } from "./tally.ts";

/** Settings by role, in place of what the log says of these roles. */
export type Roles = ReadonlyMap<string, SettingsFields>;

export interface Question {
  /** The stretch [from, to): what is before it only leads up to it. */
  readonly from: Millis;
  readonly to: Millis;
  readonly today: Roles;
  readonly other: Roles;
}

export interface Comparison {
  /** Records folded. */
  readonly records: number;
  /** Records that some rule refused. */
  readonly refused: number;
  readonly today: Figures;
  readonly other: Figures;
  /** Those whose number of notifications differs most, the most first. */
  readonly users: readonly { readonly userId: UserId; readonly today: number; readonly other: number }[];
}

/** Users that are named. */
const MAX_USERS = 10;
/** Nothing that has been missed for longer is asked for: the rule has forgotten the message itself. */
const REMEMBERED: Millis = 31 * DAY;

/**
 * Folds records, which come in the order of their timestamps, with today's settings and with others, side by side.
 * Reads a little beyond the stretch, to see what is read by itself.
 */
export const compare = async (
  source: AsyncIterable<readonly LogRecord[]>,
  { from, to, today, other }: Question,
): Promise<Comparison> => {
  const [now, then] = [tally(from, to), tally(from, to)];
  const sinces = candidates();
  let [records, refused] = [0, 0];
  const count = (): void => void refused++;
  const driver = drive({ parts: [part(conversations)], fannedOut: sinces.note, refused: count }, [
    branch(today, now, sinces, count),
    branch(other, then, sinces, () => undefined),
  ]);

  read: for await (const some of source)
    for (const record of some) {
      if (record.timestamp >= to + READ_WITHIN) break read;
      records++;
      driver.feed(record);
      const seen = readingOf(record);
      if (seen !== null) for (const one of [now, then]) one.read(seen.user, seen.conversation, seen.until, seen.at);
    }
  driver.advance(to);
  return { records, refused, today: now.figures(), other: then.figures(), users: changed(now, then) };
};

/** The settings in `roles` from the beginning on, and nothing of what the log says of those roles. */
const branch = (roles: Roles, counted: Tally, sinces: Sinces, refused: () => void): Branch => ({
  parts: [part(inboxes), part(mailer)],
  begins: [...roles].map(([role, fields]) => settingsRecord(role, fields)),
  hears: ({ topic, key }) => topic !== "settings" || !roles.has(key),
  published({ topic, value }) {
    if (topic === "notifications" && value?.type === "TRIGGERED") counted.told(value, sinces.of(value));
  },
  enqueued({ queue, runAt }) {
    if (queue === MAIL_QUEUE) counted.mailed(runAt);
  },
  refused,
});

const settingsRecord = (role: string, fields: SettingsFields): LogRecord => ({
  topic: "settings",
  key: role,
  value: { role, version: 0, ...fields, occurredAt: 0 },
  at: 0,
  timestamp: 0,
});

/** Who reads what, or shows by writing that they have. */
const readingOf = ({ topic, value, at, timestamp }: LogRecord) => {
  if (value === null) return null;
  if (topic === "presence" && value.type === "READ" && value.conversationId !== null)
    return { user: value.userId, conversation: value.conversationId, until: value.readUntil ?? at, at: timestamp };
  if (topic === "messages" && value.type === "SENT" && value.senderId !== null && value.kind === "USER")
    return { user: value.senderId, conversation: value.conversationId, until: at, at: timestamp };
  return null;
};

type Sinces = ReturnType<typeof candidates>;

/** Since when messages may have been missed. */
const candidates = () => {
  const known = new Map<string, Millis[]>();

  const forget = (now: Millis): void => {
    for (const [key, sinces] of known) {
      if ((sinces.at(-1) ?? 0) + REMEMBERED > now) return;
      known.delete(key);
    }
  };

  return {
    note({ type, conversationId, messageId, occurredAt, loggedAt }: InboxEntry): void {
      if (type !== "CANDIDATE" || messageId === null) return;
      const key = keyOf(conversationId, messageId);
      const sinces = known.get(key);
      if (sinces === undefined) known.set(key, [occurredAt]);
      else if (!sinces.includes(occurredAt)) sinces.push(occurredAt);
      forget(loggedAt);
    },
    /** The `since` of the first message that the notification is about. */
    of({ userId, conversationId, messageIds, notificationId: id, snapshot, occurredAt }: NotificationEvent): Millis {
      const first = messageIds[0] ?? "";
      const among = conversationId === null ? (snapshot?.conversations ?? []) : [{ conversationId }];
      const only = known.get(keyOf(conversationId ?? "", first));
      if (only?.length === 1) return only[0] ?? occurredAt;
      let earliest = Infinity;
      for (const { conversationId: one } of among)
        for (const since of known.get(keyOf(one, first)) ?? []) {
          // An edit may have made it a candidate again, for some: the notification's id says since when for this one.
          if (notificationId(userId, one, first, since) === id) return since;
          earliest = Math.min(earliest, since);
        }
      return Math.min(earliest, occurredAt);
    },
  };
};

const keyOf = (conversation: ConversationId, message: MessageId): string => `${conversation}\u001f${message}`;

const changed = (now: Tally, then: Tally): Comparison["users"] => {
  const [today, other] = [now.byUser(), then.byUser()];
  return [...new Set([...today.keys(), ...other.keys()])]
    .map((userId) => ({ userId, today: today.get(userId) ?? 0, other: other.get(userId) ?? 0 }))
    .filter((user) => user.today !== user.other)
    .toSorted((a, b) => Math.abs(b.other - b.today) - Math.abs(a.other - a.today) || (a.userId < b.userId ? -1 : 1))
    .slice(0, MAX_USERS);
};
