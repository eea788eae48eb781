import type { ConversationRow, MessageRow, Participation, Version } from "../domain/conversation-rows.ts";
import { isUndeletedSince } from "../domain/deletion.ts";
import type { UserId } from "../domain/ids.ts";
import type { Millis } from "../platform/contract/time.ts";
import { exclusion, participationAt } from "./participation.ts";

/** A moment at which a message became a candidate for a user, or was rejected. */
export interface Candidacy {
  readonly since: Millis;
  readonly isMentioned: boolean;
  /** Reason code of the rejection or withdrawal; null: the message is a candidate. */
  readonly reason: string | null;
}

/** Reason why a message can never be a candidate for a user (services/inboxes/README.md, "Missed", 1); null: it can. */
const unfit = ({ kind, isImport, senderId }: MessageRow, user: UserId): string | null => {
  if (kind !== "USER") return "system_message";
  if (isImport) return "import";
  return user === senderId ? "self" : null;
};

/** Candidacies of users before an event and after it. */
export interface Difference {
  readonly users: readonly UserId[];
  readonly before: readonly Candidacy[];
  readonly after: readonly Candidacy[];
}

/** Returns a user's candidacies. @param now the user's participation now */
export type Candidacies = (user: UserId, now: Participation | null) => readonly Candidacy[];

/** A version, with the facts that its candidacies depend on. */
interface Situated extends Version {
  /** Users whom the previous version mentions. */
  readonly before: readonly UserId[];
  /** true: the conversation has not been deleted since. */
  readonly isOpen: boolean;
  /** Changes of participation since. */
  readonly later: ConversationRow["changes"];
  readonly edits: readonly Version[];
}

/** Returns each user's candidacies of a message, one for each moment at which it could become a candidate. */
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
    const unfitness = unfit(message, user);
    const found: Candidacy[] = [];
    for (const version of versions) {
      const { at: since, isEdit, mentions, before, isOpen } = version;
      const isMentioned = mentions.includes(user);
      if (isEdit && (!isMentioned || before.includes(user))) continue;
      const reason =
        unfitness ??
        exclusion(participationAt(row, user, since, now), isMentioned) ??
        (isOpen ? null : "conversation_deleted") ??
        lost(row, message, user, now, version);
      found.push({ since, isMentioned, reason });
    }
    return found;
  };
};

/** Candidacies of a message that has not changed since it was sent. Users of equal outcome share one array. */
const asSent = (message: MessageRow, { at: since, mentions, isOpen }: Situated): Candidacies => {
  const known: (readonly [Candidacy])[] = [];
  return (user, now) => {
    const isMentioned = mentions.length > 0 && mentions.includes(user);
    const reason = unfit(message, user) ?? exclusion(now, isMentioned) ?? (isOpen ? null : "conversation_deleted");
    for (const same of known) if (same[0].reason === reason && same[0].isMentioned === isMentioned) return same;
    const found = [{ since, isMentioned, reason }] as const;
    known.push(found);
    return found;
  };
};

const laterThan = ({ changes }: ConversationRow, version: Version): ConversationRow["changes"] =>
  changes.slice(changes.findLastIndex(({ at }) => at <= version.at) + 1);

const noChanges: ConversationRow["changes"] = [];
const none: readonly UserId[] = [];

/**
 * Reason why a candidate of a version has been withdrawn since (services/inboxes/README.md, "Missed", 7 and 8); null:
 * it has not.
 */
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

/** Users whom a message mentioned just before a time. */
const mentionsAt = ({ versions }: MessageRow, at: Millis): readonly UserId[] =>
  versions.findLast((version) => version.at < at)?.mentions ?? versions[0]?.mentions ?? none;
