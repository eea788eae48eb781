import type { ConversationRow, MessageRow, Participation, Version } from "../domain/conversation-rows.ts";
import { isUndeletedSince } from "../domain/deletion.ts";
import type { UserId } from "../domain/ids.ts";
import type { Millis } from "../platform/contract/time.ts";
import { exclusion, participationAt } from "./participation.ts";

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

/** Candidacies of some users before an event, and after it. */
export interface Difference {
  readonly users: readonly UserId[];
  readonly before: readonly Candidacy[];
  readonly after: readonly Candidacy[];
}

/** Somebody's candidacies. @param now how they take part by now */
export type Candidacies = (user: UserId, now: Participation | null) => readonly Candidacy[];

/** A version with what is known of its time. */
interface Situated extends Version {
  /** Whom the version before mentions. */
  readonly before: readonly UserId[];
  readonly isOpen: boolean;
  /** How others took part, or didn't any more, since. */
  readonly later: ConversationRow["changes"];
  readonly edits: readonly Version[];
}

/** The moments at which a message could become a candidate, from all that is known by now. */
export const candidaciesOf = (row: ConversationRow, message: MessageRow): Candidacies => {
  const versions = message.versions.map((version, index): Situated => ({
    ...version,
    before: message.versions[index - 1]?.mentions ?? none,
    isOpen: isUndeletedSince(row, version.at),
    later: (row.changes.at(-1)?.at ?? -Infinity) <= version.at ? noChanges : laterThan(row, version),
    edits: message.versions.slice(index + 1),
  }));
  const [sent, ...edits] = versions;
  if (sent !== undefined && edits.length + sent.later.length === 0 && !message.isDeleted) return asSent(message, sent);

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

/** Nothing has changed since it was sent: all who are alike have the same, in one object. */
const asSent = (message: MessageRow, { at: since, mentions, isOpen }: Situated): Candidacies => {
  const known: (readonly [Candidacy])[] = [];
  return (user, now) => {
    const isMentioned = mentions.length > 0 && mentions.includes(user);
    const reason = unfit(message, user) ?? exclusion(now, isMentioned) ?? (isOpen ? null : "conversation_deleted");
    for (const one of known) if (one[0].reason === reason && one[0].isMentioned === isMentioned) return one;
    const found = [{ since, isMentioned, reason }] as const;
    known.push(found);
    return found;
  };
};

const laterThan = ({ changes }: ConversationRow, version: Version): ConversationRow["changes"] =>
  changes.slice(changes.findLastIndex(({ at }) => at <= version.at) + 1);

const noChanges: ConversationRow["changes"] = [];
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
