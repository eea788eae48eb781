import type { ConversationId, MessageId, NotificationId, UserId } from "../../domain/ids.ts";
import type { LedgerEntry, NotificationEvent } from "../../domain/records.ts";
import { DAY, type Millis } from "../../platform/contract/time.ts";
import { topics } from "../../domain/topics.ts";
import { eventInWords } from "./reasons.ts";
import { clock, dayOf, sentenceOf } from "./sentence.ts";

/** A user, and a conversation or message if the question is about one alone. */
export interface Question {
  readonly user: UserId;
  readonly conversation?: ConversationId | undefined;
  readonly message?: MessageId | undefined;
}

/** A verdict or an event, with a sentence about it. */
export interface Told {
  readonly at: Millis;
  readonly text: string;
  /** A verdict of the ledger, or a type of notification event. */
  readonly what: string;
  readonly reason: string | null;
  readonly conversationId: ConversationId | null;
  readonly messageIds: readonly MessageId[];
  readonly notificationId: NotificationId | null;
  readonly until: Millis | null;
  readonly facts: Readonly<Record<string, string>>;
}

/** Answers "why did, or didn't, this user get a mail about this message?", in the order of time. */
export const story = (
  question: Question,
  ledger: readonly LedgerEntry[],
  events: readonly NotificationEvent[],
): readonly Told[] => {
  const entries = concerning(question, ledger);
  const notifications = new Set(entries.map(({ notificationId }) => notificationId));
  // An event that the ledger has too is left out.
  const known = new Set(entries.map(({ verdict, notificationId }) => `${verdict} ${notificationId}`));
  const after = new Map(
    events
      .filter(({ userId, notificationId }) => userId === question.user && notifications.has(notificationId))
      .filter(({ type, notificationId }) => !known.has(`${type} ${notificationId}`))
      .map((event) => [event.id, event]),
  );
  return [...entries.map(verdictTold), ...[...after.values()].map(eventTold)].toSorted((a, b) => a.at - b.at);
};

/** Selects the entries that concern a question, in the order of time, without repeats. */
const concerning = (
  { user, conversation, message }: Question,
  ledger: readonly LedgerEntry[],
): readonly LedgerEntry[] => {
  const ofUser = ledger.filter(
    ({ users, conversationId }) =>
      users.includes(user) && (conversation === undefined || (conversationId ?? conversation) === conversation),
  );
  const once = new Map(ofUser.map((entry) => [JSON.stringify({ ...entry, users: [user] }), entry]));
  const all = [...once.values()].toSorted((a, b) => a.occurredAt - b.occurredAt);
  return message === undefined ? all : aboutMessage(all, message);
};

/**
 * Selects the entries that name the message. While it is missed, entries about all missed messages of its conversation
 * are selected too, with the hold that was in force when the message came.
 */
const aboutMessage = (entries: readonly LedgerEntry[], message: MessageId): readonly LedgerEntry[] => {
  const notifications = new Set<NotificationId | null>();
  const missedIn = new Set<ConversationId | null>();
  const holds = holding();
  const concern = entries.flatMap((entry): readonly LedgerEntry[] => {
    const { verdict, conversationId, messageIds, notificationId } = entry;
    const held = holds(entry);
    if (verdict === "SUPPRESSED") return notifications.has(notificationId) ? [entry] : [];
    const isNamed = messageIds.includes(message);
    const isMeant =
      messageIds.length === 0 && (missedIn.has(conversationId) || (conversationId === null && missedIn.size > 0));
    if (!isNamed && !isMeant) return [];
    if (verdict === "CANDIDATE") missedIn.add(conversationId);
    else if (verdict === "TRIGGERED") {
      notifications.add(notificationId);
      missedIn.clear();
    } else if (verdict !== "HELD") missedIn.delete(conversationId);
    return verdict === "CANDIDATE" && held !== null ? [held, entry] : [entry];
  });
  return [...new Set(concern)];
};

/** Takes entries in order, and returns the hold on each entry's conversation before it. The ledger has only changes of holds. */
const holding = (): ((entry: LedgerEntry) => LedgerEntry | null) => {
  const open = new Map<ConversationId | null, { readonly missed: Set<MessageId>; held: LedgerEntry | null }>();
  return (entry) => {
    const { verdict, conversationId, messageIds } = entry;
    const now = open.get(conversationId) ?? { missed: new Set(), held: null };
    const { held } = now;
    open.set(conversationId, now);
    if (verdict === "CANDIDATE") for (const id of messageIds) now.missed.add(id);
    else if (verdict === "HELD") now.held = entry;
    else if (verdict === "DROPPED") for (const id of messageIds) now.missed.delete(id);
    else if (verdict === "TRIGGERED" && conversationId === null) open.clear();
    else if (verdict === "TRIGGERED") now.missed.clear();
    if (now.missed.size === 0) now.held = null;
    return held;
  };
};

const verdictTold = (entry: LedgerEntry): Told => {
  const { verdict, reason, conversationId, messageIds, notificationId, until, facts, occurredAt } = entry;
  return {
    at: occurredAt,
    text: sentenceOf(entry),
    what: verdict,
    reason,
    conversationId,
    messageIds,
    notificationId,
    until,
    facts,
  };
};

const eventTold = (event: NotificationEvent): Told => {
  const { type, reason, conversationId, messageIds, notificationId, occurredAt } = event;
  return {
    at: occurredAt,
    text: eventInWords(event),
    what: type,
    reason,
    conversationId,
    messageIds,
    notificationId,
    until: null,
    facts: {},
  };
};

/** Writes the story: a heading for each day and a line for each sentence, with times in UTC. */
export const storyLines = (question: Question, told: readonly Told[]): readonly string[] => {
  if (told.length === 0) return [nothingKnown(question)];
  let day = "";
  return told.flatMap(({ at, text }) => {
    const heading = dayOf(at) === day ? [] : [`${dayOf(at)} (UTC)`];
    day = dayOf(at);
    return [...heading, `${clock(at)}  ${text}`];
  });
};

/** Days for which verdicts are kept. */
const KEPT = Math.round((topics.ledger.retention ?? 0) / DAY);

export const nothingKnown = ({ user, conversation, message }: Question): string => {
  const what = [
    ...(message === undefined ? [] : [`message ${message}`]),
    ...(conversation === undefined ? [] : [`conversation ${conversation}`]),
  ].join(" in ");
  return (
    `nothing is on record for the user ${user}${what === "" ? "" : ` about ${what}`}: they did not take part in the ` +
    `conversation then, or it is more than ${KEPT} days ago (verdicts are kept no longer), or the services have not come to it yet`
  );
};
