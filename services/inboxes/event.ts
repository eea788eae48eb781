import type { Verdict } from "../domain/effect.ts";
import { Poison } from "../platform/contract/failure.ts";
import type { LogRecord } from "../domain/log-record.ts";
import { checkId } from "../platform/contract/identity.ts";
import { type UserId } from "../domain/ids.ts";
import type { InboxEntry, PresenceEvent, User } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { Missed } from "./state.ts";

/** What concerns a user, or all recipients of an entry. `key` is the user's id. */
export type InboxEvent =
  | {
      readonly type: "entry";
      readonly key: UserId;
      readonly keys: readonly UserId[];
      readonly at: Millis;
      readonly loggedAt: Millis;
      readonly entry: InboxEntry;
      /** Whom it mentions; null: nobody. */
      readonly mentioned: ReadonlySet<UserId> | null;
      /** What a CANDIDATE is for whom it doesn't mention, and for whom it does. */
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

/** The message of a CANDIDATE, one object for all whom it mentions, or doesn't; and the verdict if it becomes one, for all. */
export interface Candidate {
  readonly message: Missed;
  readonly verdict: Verdict;
}

/** Reads what concerns users. Throws Poison where key and value don't agree. */
export const readInboxEvent = (record: LogRecord): readonly InboxEvent[] => {
  const { key, at, loggedAt } = record;
  switch (record.topic) {
    case "inbox":
      return (record.value?.entries ?? []).flatMap(toAll);
    case "presence": {
      const presence = record.value;
      if (presence === null) return []; // a tombstone on a topic that isn't compacted says nothing
      agree(key, presence.userId);
      if (presence.conversationId !== null) checkId(presence.conversationId, "conversationId"); // what was read has a row
      if (presence.sessionId !== "") checkId(presence.sessionId, "sessionId"); // each sign of life saves all of them
      // No one has read what wasn't sent yet: a time beyond the record's own timestamp counts as that.
      const readUntil = Math.min(presence.readUntil ?? at, record.loggedAt);
      return [{ type: "presence", key, at, loggedAt, presence, readUntil }];
    }
    case "users":
      if (record.value === null) return [{ type: "deleted", key, at, loggedAt }];
      agree(key, record.value.userId);
      return [{ type: "profile", key, at, loggedAt, user: record.value }];
    default:
      return [];
  }
};

const toAll = (entry: InboxEntry): readonly InboxEvent[] => {
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

const agree = (key: string, field: UserId): void => {
  if (key !== field) throw new Poison(`its key is "${key}" but its userId "${field}"`);
};
