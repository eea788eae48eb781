/** The clauses of Missed, numbered as in services/inboxes/README.md. */
import type { MessageValue, ParticipantValue } from "./history.ts";
import { compare, type Fact, type Known } from "./known.ts";
import { attended, type Stretch } from "./sessions.ts";

/** The reason why a message is not missed, in the page's codes. */
export type Reason =
  | "self"
  | "system_message"
  | "import"
  | "not_participant"
  | "no_access"
  | "muted"
  | "not_mentioned"
  | "attending"
  | "read"
  | "deleted"
  | "unmentioned"
  | "left"
  | "conversation_deleted"
  | "user_deleted"
  | "told";

/** A moment at which a message is sent, or newly mentions a user. */
export interface Moment {
  /** The record, SENT or EDITED, of that time. */
  readonly record: Fact<MessageValue>;
  /** Tells whether the user took part then. */
  readonly isParticipant: boolean;
  /**
   * The reasons why the message is not missed since then: the first of clauses 1 to 3 that fails, else all of 4 to 10
   * that fail.
   */
  readonly reasons: readonly Reason[];
}

/** The state of a sent message for a user. */
export interface Standing {
  readonly conversationId: string;
  readonly messageId: string;
  readonly sent: Fact<MessageValue>;
  /** In order; at least the moment at which it was sent. */
  readonly moments: readonly Moment[];
  /** The first moment since which it is missed; null: it is not. */
  readonly since: number | null;
}

/** A message that a user has missed. */
export type Missed = Standing & { readonly since: number };

type Message = Fact<MessageValue>;

/** Compares messages by the order of the log. */
function inLog(left: Message, right: Message): number {
  return left.at - right.at || left.offset - right.offset;
}

/** The first record in the order of the log: repeats change nothing. */
function first(records: readonly Message[]): Message | undefined {
  return records.toSorted(inLog)[0];
}

/** The versions of a message, from SENT through all of its edits, in order. */
function versionsOf(sent: Message, records: readonly Message[]): readonly Message[] {
  const deleted = first(records.filter(({ value }) => value.type === "DELETED"));
  const isEdit = (record: Message): boolean => record.value.type === "EDITED" && compare(record, sent) > 0;
  const edits = records.filter((record) => isEdit(record) && (deleted === undefined || inLog(record, deleted) < 0));
  // An edit of the same time is a repeat.
  const distinct = [...Map.groupBy(edits, ({ time }) => time).values()].flatMap((same) => first(same) ?? []);
  return [sent, ...distinct.toSorted(compare)];
}

/** Clause 1. */
function unfit(userId: string, { kind, origin, senderId }: MessageValue): readonly Reason[] {
  return [
    ...(kind === "USER" ? [] : ["system_message" as const]),
    ...(origin === "IMPORT" ? ["import" as const] : []),
    ...(senderId === userId ? ["self" as const] : []),
  ];
}

/** Clauses 2 and 3, and for every later state 7 and 8; null where both hold. */
function excluded(state: ParticipantValue | undefined, mentioned: boolean): Reason | null {
  if (state === undefined || state.type === "LEFT") return "not_participant";
  if (state.access === "NONE") return "no_access";
  if (state.notify === "NONE") return "muted";
  return state.notify === "MENTIONS_ONLY" && !mentioned ? "not_mentioned" : null;
}

/** Clauses 4 and 9: a tombstone was the latest record at a time, or came since. */
function isDeleted(facts: readonly Fact<unknown>[], since: number): boolean {
  return (
    facts.findLast(({ time }) => time <= since)?.value === null ||
    facts.some(({ value, time }) => value === null && time > since)
  );
}

/** Clause 6: the message was read, or answered by a later message of the user's own. */
function wasRead(userId: string, sent: Message, known: Known, messages: readonly Message[]): boolean {
  const { conversationId } = sent.value;
  const read = known.presence.some(({ value, time, at }) => {
    if (value.type !== "READ" || value.conversationId !== conversationId) return false;
    return (value.readUntil === null ? time : Math.min(value.readUntil, at)) >= sent.time;
  });
  const isOwn = ({ value }: Message): boolean => value.conversationId === conversationId && value.senderId === userId;
  return read || messages.some((other) => isOwn(other) && other.time > sent.time);
}

/**
 * Clauses 7 and 8: the effect of every edit and every state since the moment on a message that counted then. A state
 * that becomes known only after an edit, and by which mentions alone counted then, may end it as well as the edit.
 */
function lost(
  userId: string,
  versions: readonly Message[],
  place: number,
  states: readonly Fact<ParticipantValue>[],
): readonly Reason[] {
  const { time: since, value: said } = versions[place]!;
  let state = states.findLast(({ time }) => time <= since);
  let mentioned = said.mentions.includes(userId);
  const later = [...states.filter(({ time }) => time > since), ...versions.slice(place + 1)].toSorted(compare);
  return later.flatMap((record): readonly Reason[] => {
    if (isVersion(record)) {
      mentioned = record.value.mentions.includes(userId);
      if (excluded(state?.value, mentioned) !== "not_mentioned") return [];
      return state !== undefined && state.at > record.at ? ["unmentioned", "not_mentioned"] : ["unmentioned"];
    }
    state = record;
    const reason = excluded(record.value, mentioned);
    if (reason === null) return [];
    return [reason === "not_participant" ? "left" : reason];
  });
}

function isVersion(record: Message | Fact<ParticipantValue>): record is Message {
  return "mentions" in record.value;
}

/** The indexes of the versions at which a message is sent, or newly mentions the user. */
function placesOf(userId: string, versions: readonly Message[]): readonly number[] {
  const mentions = versions.map(({ value }) => value.mentions.includes(userId));
  return [...versions.keys()].filter((place) => place === 0 || (mentions[place] === true && !mentions[place - 1]));
}

/** The name of a message. */
export function nameOf({ conversationId, messageId }: { conversationId: string; messageId: string }): string {
  return `${conversationId}/${messageId}`;
}

/** The input for judging a user's messages. */
interface Case {
  readonly userId: string;
  readonly known: Known;
  readonly live: readonly Stretch[];
  /** Names of the messages of notifications to the user. */
  readonly told: ReadonlySet<string>;
}

function standingOf(
  { userId, known, live, told }: Case,
  sent: Message,
  records: readonly Message[],
  messages: readonly Message[],
): Standing {
  const { conversationId, messageId } = sent.value;
  const versions = versionsOf(sent, records);
  const states = known.participants.get(conversationId) ?? [];
  const conversations = known.conversations.get(conversationId) ?? [];
  const gone: Reason[] = [];
  if (wasRead(userId, sent, known, messages)) gone.push("read");
  if (records.some(({ value }) => value.type === "DELETED")) gone.push("deleted");
  if (told.has(nameOf(sent.value))) gone.push("told");

  const momentAt = (place: number): Moment => {
    const record = versions[place]!;
    const at = record.time;
    const state = states.findLast(({ time }) => time <= at)?.value;
    const exclusion = excluded(state, record.value.mentions.includes(userId));
    const moment = { record, isParticipant: exclusion !== "not_participant" };
    const never = unfit(userId, sent.value);
    if (never.length > 0) return { ...moment, reasons: never };
    if (exclusion !== null) return { ...moment, reasons: [exclusion] };
    const reasons: readonly Reason[] = [
      ...(isDeleted(conversations, at) ? ["conversation_deleted" as const] : []),
      ...(isDeleted(known.users, at) ? ["user_deleted" as const] : []),
      ...(attended(live, conversationId, at) ? ["attending" as const] : []),
      ...lost(userId, versions, place, states),
      ...gone,
    ];
    return { ...moment, reasons };
  };
  const moments = placesOf(userId, versions).map(momentAt);
  const since = moments.find(({ reasons }) => reasons.length === 0)?.record.time ?? null;
  return { conversationId, messageId, sent, moments, since };
}

/** The state of every sent message for a user, by name. */
export function standings(user: Case): ReadonlyMap<string, Standing> {
  const histories = Map.groupBy(user.known.messages, ({ value }) => nameOf(value));
  const sent = [...histories].flatMap(([name, records]) => {
    const message = first(records.filter(({ value }) => value.type === "SENT"));
    return message === undefined ? [] : [{ name, message, records }];
  });
  const messages = sent.map(({ message }) => message);
  return new Map(sent.map(({ name, message, records }) => [name, standingOf(user, message, records, messages)]));
}

/** The missed messages, ordered by since, then time, then place in the log. */
export function missedOf(all: ReadonlyMap<string, Standing>): readonly Missed[] {
  return [...all.values()]
    .filter((standing): standing is Missed => standing.since !== null)
    .toSorted((left, right) => left.since - right.since || compare(left.sent, right.sent));
}
