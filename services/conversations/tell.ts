import { type Effect, fanOut, note } from "../domain/effect.ts";
import type { MessageRow } from "../domain/conversation-rows.ts";
import type { ConversationId, MessageId, UserId } from "../domain/ids.ts";
import type { InboxEntry, InboxEntryType } from "../domain/records.ts";
import { ANEW } from "../domain/inbox-rows.ts";
import type { Millis } from "../platform/contract/time.ts";
import type { Candidacy, Difference } from "./candidacy.ts";

/** The event that is told of. `key` is its conversation. */
export interface Telling {
  readonly key: ConversationId;
  readonly at: Millis;
  readonly loggedAt: Millis;
}

/** An inbox entry for the recipients, of the event's time unless `what` says otherwise. */
export const tell = (
  { key: conversationId, at, loggedAt }: Telling,
  type: InboxEntryType,
  recipients: readonly UserId[],
  what: Partial<InboxEntry> = {},
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
  return [fanOut({ ...base, ...what, type, conversationId, recipients, loggedAt })];
};

/** Those for whom a message became a candidate at one moment; `reason` ANEW: in place of what was said before. */
interface Added {
  readonly since: Millis;
  readonly reason: string | null;
  readonly users: UserId[];
  readonly mentioned: UserId[];
}

/** What of a message's candidacies is another after the event than before: none left, one in place of others, or more. */
export const differing = (
  event: Telling,
  message: MessageRow,
  differences: readonly Difference[],
): readonly Effect[] => {
  const { messageId, senderId, at: sentAt } = message;
  const what = { messageId, senderId, sentAt };
  const withdrawn = new Map<string, UserId[]>();
  const added: Added[] = [];
  const addedAt = (since: Millis, reason: string | null): Added => {
    let entry = added.find((one) => one.since === since && one.reason === reason);
    if (entry === undefined) added.push((entry = { since, reason, users: [], mentioned: [] }));
    return entry;
  };
  for (const { users, before, after } of differences) {
    const held = heldOf(before);
    const holds = heldOf(after);
    const isKept = held.every(({ since }) => holds.some((each) => each.since === since));
    if (holds.length === 0 && !isKept) {
      const reason = (after.find((each) => isSame(each, held[0])) ?? after.at(-1))?.reason ?? "left";
      withdrawn.set(reason, [...(withdrawn.get(reason) ?? []), ...users]);
    }
    for (let index = 0; index < holds.length; index++) {
      const hold = holds[index] as Candidacy;
      const { since, isMentioned } = hold;
      if (isKept && held.some((each) => isSame(each, hold))) continue;
      const entry = addedAt(since, isKept || index > 0 ? null : ANEW);
      for (const user of users) entry.users.push(user);
      if (isMentioned) for (const user of users) entry.mentioned.push(user);
    }
  }
  return [
    ...[...withdrawn].flatMap(([reason, some]) => tell(event, "WITHDRAWN", some, { ...what, reason })),
    ...added
      .toSorted((x, y) => x.since - y.since)
      .flatMap(({ since, reason, users, mentioned }) =>
        tell(event, "CANDIDATE", users, { ...what, reason, mentioned, since: since === event.at ? null : since }),
      ),
  ];
};

const heldOf = (all: readonly Candidacy[]): readonly Candidacy[] => {
  const [first] = all;
  if (first === undefined || (all.length === 1 && first.reason !== null)) return none;
  return all.length === 1 ? all : all.filter(({ reason }) => reason === null);
};

const none: readonly Candidacy[] = [];

/** Whether both are of the same moment: an edit may be of the time of the sending. */
const isSame = (one: Candidacy, other: Candidacy | undefined): boolean =>
  one.since === other?.since && one.isMentioned === other.isMentioned;

/**
 * For the ledger: whose candidate a message did not become at a moment that is new, or at which they turn out to take part,
 * and why. That they take no part is worth a word only when it is sent.
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
    let entry = rejected.find((one) => one.since === since && one.reason === reason);
    if (entry === undefined) rejected.push((entry = { reason, since, users: [] }));
    for (const user of users) entry.users.push(user);
  }
  return rejected.map(({ reason, since, users }) => {
    const about = { conversationId, messageIds: [messageId], notificationId: null, until: null };
    const facts = { since: String(since) };
    return note({ verdict: "REJECTED", reason, ...about, facts, occurredAt: loggedAt }, users);
  });
};
