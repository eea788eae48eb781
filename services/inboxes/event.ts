import { Poison } from "../core/failure.ts";
import type { LogRecord } from "../core/event.ts";
import { checkId, type UserId } from "../core/ids.ts";
import type { InboxEntry, PresenceEvent, User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { Missed } from "./state.ts";

/** What concerns a user. `key` is the user's id. */
export type InboxEvent =
  | {
      readonly type: "entry";
      readonly key: UserId;
      readonly at: Millis;
      readonly seen: Millis;
      readonly entry: InboxEntry;
      readonly isMentioned: boolean;
      /** Of a CANDIDATE: the message, one object for all whom it mentions, or doesn't. */
      readonly message: Missed | null;
    }
  | {
      readonly type: "presence";
      readonly key: UserId;
      readonly at: Millis;
      readonly seen: Millis;
      readonly presence: PresenceEvent;
      readonly readUntil: Millis;
    }
  | { readonly type: "profile"; readonly key: UserId; readonly at: Millis; readonly seen: Millis; readonly user: User }
  | { readonly type: "deleted"; readonly key: UserId; readonly at: Millis; readonly seen: Millis };

/** Reads what concerns users, one event for each. Throws Poison where key and value don't agree. */
export const readInboxEvent = (record: LogRecord): readonly InboxEvent[] => {
  const { key, at, timestamp: seen } = record;
  switch (record.topic) {
    case "inbox":
      return (record.value?.entries ?? []).flatMap(spread);
    case "presence": {
      const presence = record.value;
      if (presence === null) return []; // a tombstone on a topic that isn't compacted says nothing
      agree(key, presence.userId);
      if (presence.conversationId !== null) checkId(presence.conversationId, "conversationId"); // what was read has a row
      // No one has read what wasn't sent yet: a time beyond the record's own timestamp counts as that.
      const readUntil = Math.min(presence.readUntil ?? at, record.timestamp);
      return [{ type: "presence", key, at, seen, presence, readUntil }];
    }
    case "users":
      if (record.value === null) return [{ type: "deleted", key, at, seen }];
      agree(key, record.value.userId);
      return [{ type: "profile", key, at, seen, user: record.value }];
    default:
      return [];
  }
};

const spread = (entry: InboxEntry): readonly InboxEvent[] => {
  const mentioned = entry.mentioned.length === 0 ? null : new Set(entry.mentioned);
  const { occurredAt: at, loggedAt: seen } = entry;
  const plain = candidateOf(entry);
  const mentioning = mentioned === null || plain === null ? plain : { ...plain, isMentioned: true };
  return entry.recipients.map((key) => {
    const isMentioned = mentioned?.has(key) ?? false;
    return { type: "entry", key, at, seen, entry, isMentioned, message: isMentioned ? mentioning : plain };
  });
};

const candidateOf = (entry: InboxEntry): Missed | null => {
  const { type, messageId, senderId, sentAt, occurredAt, loggedAt: seen } = entry;
  if (type !== "CANDIDATE" || messageId === null) return null;
  return { messageId, senderId, sentAt, since: entry.since ?? occurredAt, seen, isMentioned: false };
};

const agree = (key: string, field: UserId): void => {
  if (key !== field) throw new Poison(`its key is "${key}" but its userId "${field}"`);
};
