import type { ConversationRow, MessageRow, Version } from "../core/chat.ts";
import type { UserId } from "../core/ids.ts";
import type { Millis } from "../core/time.ts";
import { exclusion, participationAt, wasOpen } from "./participation.ts";

/** A moment at which a message became a candidate for somebody, or did not. */
export interface Candidacy {
  readonly since: Millis;
  readonly isMentioned: boolean;
  /** Why it is none, or none any more; null: it is one. */
  readonly reason: string | null;
}

/** Why the message is nobody's candidate, or not this user's (design/semantics.md, "Missed", 1). */
const unfit = ({ kind, isImport, senderId }: MessageRow, user: UserId): string | null => {
  if (kind !== "USER") return "system_message";
  if (isImport) return "import";
  return user === senderId ? "self" : null;
};

/** A user's candidacies before an event, and after it. */
export interface Difference {
  readonly user: UserId;
  readonly before: readonly Candidacy[];
  readonly after: readonly Candidacy[];
}

/** The moments at which a message could become a candidate for a user, from all that is known by now. */
export const candidacies = (row: ConversationRow, message: MessageRow, user: UserId): readonly Candidacy[] => {
  const never = unfit(message, user);
  return message.versions.flatMap(({ at: since, isEdit, mentions }, index): readonly Candidacy[] => {
    const isMentioned = mentions.includes(user);
    const wasMentioned = message.versions[index - 1]?.mentions.includes(user) ?? false;
    if (isEdit && (!isMentioned || wasMentioned)) return [];
    const reason =
      never ??
      (wasOpen(row, since) ? null : "conversation_deleted") ??
      exclusion(participationAt(row, user, since), isMentioned) ??
      lost(row, message, user, index);
    return [{ since, isMentioned, reason }];
  });
};

/** Why a candidate of that version has been none any more since (design/semantics.md, "Missed", 7 and 8). */
const lost = (row: ConversationRow, message: MessageRow, user: UserId, index: number): string | null => {
  if (message.isDeleted) return "deleted";
  const since = message.versions[index]?.at ?? message.at;
  const later = row.changes.slice(row.changes.findLastIndex(({ at }) => at <= since) + 1);
  for (const { userId, at, now } of later) {
    if (userId !== user) continue;
    const reason = exclusion(now, mentionsAt(message, at).includes(user));
    if (reason !== null) return reason === "not_participant" ? "left" : reason;
  }
  const isUnmentioned = ({ at, mentions }: Version): boolean =>
    !mentions.includes(user) && participationAt(row, user, at)?.notify === "MENTIONS_ONLY";
  return message.versions.slice(index + 1).some(isUnmentioned) ? "unmentioned" : null;
};

/** Whom the message mentioned just before that time. */
const mentionsAt = ({ versions }: MessageRow, at: Millis): readonly UserId[] =>
  versions.findLast((version) => version.at < at)?.mentions ?? versions[0]?.mentions ?? [];
