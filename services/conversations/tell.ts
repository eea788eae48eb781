import { type Effect, fanOut, note } from "../domain/effect.ts";
import type { MessageRow } from "../domain/conversation-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { InboxEntry, InboxEntryType } from "../domain/records.ts";
import { ANEW } from "../domain/inbox-rows.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { Candidacy, Difference } from "./candidacy.ts";

/** The event that an inbox entry follows from. `key` is its conversation. */
export interface Telling {
  readonly key: ConversationId;
  readonly at: Millis;
  readonly loggedAt: Millis;
}

/**
 * Sends an inbox entry to the recipients.
 * @param fields replace the defaults, `sentAt` of the event's own time among them
 */
export const tell = (
  { key: conversationId, at, loggedAt }: Telling,
  type: InboxEntryType,
  recipients: readonly UserId[],
  fields: Partial<InboxEntry> = {},
): readonly Effect[] => {
  if (recipients.length === 0) return [];
  const base = {
    messageId: null,
    senderId: null,
    sentAt: at,
    reason: null,
    mentioned: [],
    since: null,
    occurredAt: at,
  };
  return [fanOut({ ...base, ...fields, type, conversationId, recipients, loggedAt })];
};

/** Users for whom a message became a candidate at one moment. */
interface Added {
  readonly since: Millis;
  /** ANEW: the entry replaces earlier entries of the message. */
  readonly reason: string | null;
  readonly users: UserId[];
  readonly mentioned: UserId[];
}

/** Sends the inbox entries by which a message's candidacies after an event differ from those before it. */
export const differing = (
  event: Telling,
  message: MessageRow,
  differences: readonly Difference[],
): readonly Effect[] => {
  const { messageId, senderId, at: sentAt } = message;
  const fields = { messageId, senderId, sentAt };
  const withdrawn = new Map<string, UserId[]>();
  const added: Added[] = [];
  const addedAt = (since: Millis, reason: string | null): Added => {
    let entry = added.find((other) => other.since === since && other.reason === reason);
    if (entry === undefined) added.push((entry = { since, reason, users: [], mentioned: [] }));
    return entry;
  };
  for (const { users, before, after } of differences) {
    const acceptedBefore = acceptedOf(before);
    const acceptedAfter = acceptedOf(after);
    const isKept = acceptedBefore.every(({ since }) => acceptedAfter.some((each) => each.since === since));
    if (acceptedAfter.length === 0 && !isKept) {
      const reason = (after.find((each) => isSame(each, acceptedBefore[0])) ?? after.at(-1))?.reason ?? "left";
      withdrawn.set(reason, [...(withdrawn.get(reason) ?? []), ...users]);
    }
    for (let index = 0; index < acceptedAfter.length; index++) {
      const candidacy = acceptedAfter[index] as Candidacy;
      const { since, isMentioned } = candidacy;
      if (isKept && acceptedBefore.some((each) => isSame(each, candidacy))) continue;
      const entry = addedAt(since, isKept || index > 0 ? null : ANEW);
      for (const user of users) entry.users.push(user);
      if (isMentioned) for (const user of users) entry.mentioned.push(user);
    }
  }
  return [
    ...[...withdrawn].flatMap(([reason, users]) => tell(event, "WITHDRAWN", users, { ...fields, reason })),
    ...added
      .toSorted((x, y) => x.since - y.since)
      .flatMap(({ since, reason, users, mentioned }) =>
        tell(event, "CANDIDATE", users, { ...fields, reason, mentioned, since: since === event.at ? null : since }),
      ),
  ];
};

/** Candidacies that were not rejected. */
const acceptedOf = (all: readonly Candidacy[]): readonly Candidacy[] => {
  const [first] = all;
  if (first === undefined || (all.length === 1 && first.reason !== null)) return none;
  return all.length === 1 ? all : all.filter(({ reason }) => reason === null);
};

const none: readonly Candidacy[] = [];

/**
 * Tells whether two candidacies are of the same moment. An edit may have the time of the sending, so mentions count
 * too.
 */
const isSame = (a: Candidacy, b: Candidacy | undefined): boolean =>
  a.since === b?.since && a.isMentioned === b.isMentioned;

/**
 * Notes a REJECTED verdict for users whose latest candidacy of a message is new and rejected, or whose reason was
 * `not_participant` until now. The reason `not_participant` itself is noted only when the message is sent.
 */
export const rejections = (
  { key: conversationId, loggedAt }: Telling,
  messageId: MessageId,
  differences: readonly Difference[],
  isSent = false,
): readonly Effect[] => {
  const rejected: { readonly reason: string; readonly since: Millis; readonly users: UserId[] }[] = [];
  for (const { users, before, after } of differences) {
    const latest = after[after.length - 1];
    const known = before[before.length - 1];
    if (latest === undefined || (isSame(latest, known) && known?.reason !== "not_participant")) continue;
    const { reason, since } = latest;
    if (reason === null || after.some((each) => each.reason === null)) continue;
    if (reason === "not_participant" && !isSent) continue;
    let entry = rejected.find((other) => other.since === since && other.reason === reason);
    if (entry === undefined) rejected.push((entry = { reason, since, users: [] }));
    for (const user of users) entry.users.push(user);
  }
  return rejected.map(({ reason, since, users }) => {
    const subject = { conversationId, messageIds: [messageId], notificationId: null, until: null };
    const facts = { since: String(since) };
    return note({ verdict: "REJECTED", reason, ...subject, facts, occurredAt: loggedAt }, users);
  });
};
