import type { ConversationRow, MessageRow, Participation, Version } from "../core/chat.ts";
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

/** Somebody's candidacies. @param now how they take part by now */
export type Candidacies = (user: UserId, now: Participation | null) => readonly Candidacy[];

/** The moments at which a message could become a candidate, from all that is known by now. */
export const candidaciesOf = (row: ConversationRow, message: MessageRow): Candidacies => {
  const versions = message.versions.map((version, index) => ({
    ...version,
    before: message.versions[index - 1]?.mentions ?? none,
    isOpen: wasOpen(row, version.at),
    later: row.changes.slice(row.changes.findLastIndex(({ at }) => at <= version.at) + 1),
    edits: message.versions.slice(index + 1),
  }));

  return (user, now) => {
    const never = unfit(message, user);
    const found: Candidacy[] = [];
    for (const version of versions) {
      const { at: since, isEdit, mentions, before, isOpen } = version;
      const isMentioned = mentions.includes(user);
      if (isEdit && (!isMentioned || before.includes(user))) continue;
      const reason =
        never ??
        exclusion(participationAt(row, user, since, now), isMentioned) ??
        (isOpen ? null : "conversation_deleted") ??
        lost(row, message, user, now, version);
      found.push({ since, isMentioned, reason });
    }
    return found;
  };
};

const none: readonly UserId[] = [];

/** Why a candidate of a version has been none any more since (design/semantics.md, "Missed", 7 and 8). */
const lost = (
  row: ConversationRow,
  message: MessageRow,
  user: UserId,
  now: Participation | null,
  { later, edits }: { readonly later: ConversationRow["changes"]; readonly edits: readonly Version[] },
): string | null => {
  if (message.isDeleted) return "deleted";
  for (const { userId, at, now: then } of later) {
    if (userId !== user) continue;
    const reason = exclusion(then, mentionsAt(message, at).includes(user));
    if (reason !== null) return reason === "not_participant" ? "left" : reason;
  }
  const isUnmentioned = ({ at, mentions }: Version): boolean =>
    !mentions.includes(user) && participationAt(row, user, at, now)?.notify === "MENTIONS_ONLY";
  return edits.some(isUnmentioned) ? "unmentioned" : null;
};

/** Whom the message mentioned just before that time. */
const mentionsAt = ({ versions }: MessageRow, at: Millis): readonly UserId[] =>
  versions.findLast((version) => version.at < at)?.mentions ?? versions[0]?.mentions ?? none;
