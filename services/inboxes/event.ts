import type { Verdict } from "../domain/effect.ts";
import { checkKey, type LogRecord } from "../domain/log-record.ts";
import { checkId } from "../platform/contract/identity.ts";
import { type UserId } from "../domain/ids.ts";
import type { InboxEntry, PresenceEvent, User } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { Missed } from "./state.ts";

/** An event of a user, or of all recipients of an entry. `key` is the user's id. */
export type InboxEvent =
  | {
      readonly type: "entry";
      readonly key: UserId;
      readonly keys: readonly UserId[];
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly entry: InboxEntry;
      /** Recipients whom the message mentions; null: nobody. */
      readonly mentioned: ReadonlySet<UserId> | null;
      /** A CANDIDATE for the recipients whom the message does not mention, and for those whom it does. */
      readonly plain: Candidate | null;
      readonly mentioning: Candidate | null;
    }
  | {
      readonly type: "presence";
      readonly key: UserId;
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly presence: PresenceEvent;
      readonly readUntil: Millis;
    }
  | {
      readonly type: "profile";
      readonly key: UserId;
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly user: User;
    }
  | { readonly type: "deleted"; readonly key: UserId; readonly at: Millis; readonly loggedAt: Millis };

/**
 * The message of a CANDIDATE entry, and the verdict that admits it. Recipients share one object, or two where some are
 * mentioned.
 */
export interface Candidate {
  readonly message: Missed;
  readonly verdict: Verdict;
}

/** Reads the events of users from a record. Throws Poison where key and value differ, or an id cannot be a row key. */
export const readInboxEvent = (record: LogRecord): readonly InboxEvent[] => {
  const { key, at, loggedAt } = record;
  switch (record.topic) {
    case "inbox":
      return (record.value?.entries ?? []).flatMap(eventsOf);
    case "presence": {
      const presence = record.value;
      if (presence === null) return []; // a tombstone means nothing on a topic that is not compacted
      checkKey(key, "userId", presence.userId);
      if (presence.conversationId !== null) checkId(presence.conversationId, "conversationId"); // it becomes a row key
      if (presence.sessionId !== "") checkId(presence.sessionId, "sessionId"); // sessions are saved, all at each sign
      // Nobody can read messages of the future: `readUntil` is limited to the record's Kafka timestamp.
      const readUntil = Math.min(presence.readUntil ?? at, record.loggedAt);
      return [{ type: "presence", key, at, loggedAt, presence, readUntil }];
    }
    case "users":
      if (record.value === null) return [{ type: "deleted", key, at, loggedAt }];
      checkKey(key, "userId", record.value.userId);
      return [{ type: "profile", key, at, loggedAt, user: record.value }];
    default:
      return [];
  }
};

const eventsOf = (entry: InboxEntry): readonly InboxEvent[] => {
  const { recipients: keys, occurredAt: at, loggedAt } = entry;
  const [key] = keys;
  if (key === undefined) return [];
  checkId(entry.conversationId, "conversationId");
  for (const recipient of keys) checkId(recipient, "a recipient");
  const mentioned = entry.mentioned.length === 0 ? null : new Set(entry.mentioned);
  const plain = candidateOf(entry);
  const mentioning =
    plain === null || mentioned === null ? null : { ...plain, message: { ...plain.message, isMentioned: true } };
  return [{ type: "entry", key, keys, at, loggedAt, entry, mentioned, plain, mentioning }];
};

const candidateOf = (entry: InboxEntry): Candidate | null => {
  const { type, conversationId, messageId, senderId, sentAt, occurredAt, loggedAt } = entry;
  if (type !== "CANDIDATE" || messageId === null) return null;
  const since = entry.since ?? occurredAt;
  return {
    message: { messageId, senderId, sentAt, since, loggedAt, isMentioned: false },
    verdict: {
      verdict: "CANDIDATE",
      reason: null,
      conversationId,
      messageIds: [messageId],
      notificationId: null,
      until: null,
      facts: { since: String(since) },
      occurredAt: loggedAt,
    },
  };
};
