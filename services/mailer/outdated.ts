import { type ConversationRow, conversationKey } from "../domain/conversation-rows.ts";
import { type Deletion, isUndeletedSince } from "../domain/deletion.ts";
import type { Lookup } from "../platform/contract/effect.ts";
import type { LookUp } from "../platform/runtime/row-lookup.ts";
import { inboxRowKey, profileKey, type ReadPosition } from "../domain/inbox-rows.ts";
import type { ConversationId, UserId } from "../domain/ids.ts";
import type { ConversationView, Snapshot } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { caseFolded, type PreferenceRow } from "./rule.ts";
import type { Suppression } from "./suppression.ts";

/** The state of a mail's recipient and conversations now, after the notification was decided. */
export interface Present {
  readonly profile: Deletion | undefined;
  readonly preference: Pick<PreferenceRow, "unsubscribed"> | undefined;
  /** State of each conversation, in the order of the snapshot. */
  readonly conversations: readonly {
    readonly row: Deletion | undefined;
    readonly thread: ReadPosition | undefined;
  }[];
}

/** Returns the reason to suppress the mail to an address now, or null to send it. @param at time of the decision */
export const outdated = (
  { conversations }: Snapshot,
  address: string,
  at: Millis,
  present: Present,
): Suppression | null => {
  if (isGone(present.profile, at)) return "user_deleted";
  if (present.preference?.unsubscribed.includes(caseFolded(address)) === true) return "unsubscribed";
  const states = conversations.map((conversation, index) => {
    const now = present.conversations[index];
    if (isGone(now?.row, at)) return "deleted";
    return isRead(conversation, now?.thread) ? "read" : "open";
  });
  if (states.length === 0 || states.includes("open")) return null;
  return states.includes("read") ? "superseded" : "conversation_deleted";
};

/** Tells whether a user or a conversation has been deleted since a time. A row that does not exist was never deleted. */
const isGone = (row: Deletion | undefined, at: Millis): boolean => row !== undefined && !isUndeletedSince(row, at);

/** Checks that every message shown was read, system messages apart. */
const isRead = ({ messages }: ConversationView, thread: ReadPosition | undefined): boolean => {
  if (thread === undefined) return false;
  const { readUntil = -Infinity } = thread;
  return messages.every(({ kind, occurredAt }) => kind === "SYSTEM" || occurredAt <= readUntil);
};

/** Looks up the present state in the rows of `inboxes`, `conversations` and `mailer`. */
export const presentOf = async (user: UserId, { conversations }: Snapshot, lookUp: LookUp): Promise<Present> => {
  const ids = conversations.map(({ conversationId }) => conversationId);
  const [profile, preference, ...rows] = await lookUp([
    ofUser(user, profileKey(user)),
    { processor: "mailer", home: "notifications", id: user, key: user },
    ...ids.map((id) => ofUser(user, inboxRowKey("t", user, id))),
    ...ids.map(ofConversation),
  ]);
  return {
    profile: profile as Present["profile"],
    preference: preference as Present["preference"],
    conversations: ids.map((_, index) => ({
      thread: rows[index] as ReadPosition | undefined,
      row: rows[ids.length + index] as ConversationRow | undefined,
    })),
  };
};

const ofUser = (id: UserId, key: string): Lookup => ({ processor: "inboxes", home: "inbox", id, key });

const ofConversation = (id: ConversationId): Lookup => ({
  processor: "conversations",
  home: "conversationStrays",
  id,
  key: conversationKey(id),
});
