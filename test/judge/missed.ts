/** The clauses of Missed. Their numbers are those of the page. */
import type { MessageValue, ParticipantValue } from "./history.ts";
import { compare, type Fact, type Known } from "./known.ts";
import { attended, type Stretch } from "./sessions.ts";

/** A message that a user has missed, and since when. */
export interface Missed {
  readonly conversationId: string;
  readonly messageId: string;
  readonly since: number;
  readonly sent: Fact<MessageValue>;
}

type Message = Fact<MessageValue>;

/** The first of them that the log had: what comes again changes nothing. */
function first(records: readonly Message[]): Message | undefined {
  return records.toSorted((left, right) => left.at - right.at || left.offset - right.offset)[0];
}

/** What a message said, from SENT through all of its edits, in order; nothing for one that was never sent, or is deleted. */
function versionsOf(records: readonly Message[]): readonly Message[] {
  const sent = first(records.filter(({ value }) => value.type === "SENT"));
  if (sent === undefined || records.some(({ value }) => value.type === "DELETED")) return [];
  const edits = records.filter((record) => record.value.type === "EDITED" && compare(record, sent) > 0);
  // An edit of the same time is one seen before.
  const distinct = [...Map.groupBy(edits, ({ time }) => time).values()].flatMap((same) => first(same) ?? []);
  return [sent, ...distinct.toSorted(compare)];
}

/** Clauses 2 and 3 (and with every later state, 7 and 8). */
function counts(state: ParticipantValue | undefined, mentioned: boolean): boolean {
  if (state === undefined || state.type === "LEFT" || state.access === "NONE") return false;
  return state.notify === "ALL" || (state.notify === "MENTIONS_ONLY" && mentioned);
}

function isTombstoneLatest(facts: readonly Fact<unknown>[], time: number): boolean {
  return facts.findLast((fact) => fact.time <= time)?.value === null;
}

function isDeletedAfter(facts: readonly Fact<unknown>[], time: number): boolean {
  return facts.some((fact) => fact.value === null && fact.time > time);
}

/** Clauses 7 and 8: in every state since the moment, the message counted. */
function hasCountedSince(
  userId: string,
  versions: readonly Message[],
  moment: number,
  states: readonly Fact<ParticipantValue>[],
): boolean {
  const since = versions[moment]!.time;
  let state = states.findLast(({ time }) => time <= since)?.value;
  let mentioned = versions[moment]!.value.mentions.includes(userId);
  if (!counts(state, mentioned)) return false;
  const later = [...states.filter(({ time }) => time > since), ...versions.slice(moment + 1)].toSorted(compare);
  return later.every(({ value }) => {
    if ("mentions" in value) mentioned = value.mentions.includes(userId);
    else state = value;
    return counts(state, mentioned);
  });
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

/** The moments at which a message is sent, or newly mentions the user, as places in its versions. */
function moments(userId: string, versions: readonly Message[]): readonly number[] {
  const mentions = versions.map(({ value }) => value.mentions.includes(userId));
  return [...versions.keys()].filter((place) => place === 0 || (mentions[place] === true && !mentions[place - 1]));
}

/** Since when a message is missed: the earliest of its moments that hold. */
function missedSince(
  userId: string,
  versions: readonly Message[],
  known: Known,
  live: readonly Stretch[],
): number | undefined {
  const { conversationId } = versions[0]!.value;
  const states = known.participants.filter(({ value }) => value.conversationId === conversationId);
  const conversations = known.conversations.filter(({ key }) => key === conversationId);
  const holds = (moment: number): boolean => {
    const since = versions[moment]!.time;
    return (
      hasCountedSince(userId, versions, moment, states) &&
      [known.users, conversations].every(
        (facts) => !isTombstoneLatest(facts, since) && !isDeletedAfter(facts, since),
      ) &&
      !attended(live, conversationId, since)
    );
  };
  const moment = moments(userId, versions).find(holds);
  return moment === undefined ? undefined : versions[moment]!.time;
}

/** What names a message. */
export function nameOf({ conversationId, messageId }: { conversationId: string; messageId: string }): string {
  return `${conversationId}/${messageId}`;
}

/**
 * All that a user has missed, by what is known; ordered by since, then time, then place in the log. `told` names the messages
 * that notifications to them were about.
 */
export function missedBy(
  userId: string,
  known: Known,
  live: readonly Stretch[],
  told: ReadonlySet<string>,
): readonly Missed[] {
  const histories = [...Map.groupBy(known.messages, ({ value }) => nameOf(value)).values()];
  const sents = histories.flatMap((records) => first(records.filter(({ value }) => value.type === "SENT")) ?? []);
  const missed: Missed[] = [];
  for (const versions of histories.map(versionsOf)) {
    const [sent] = versions;
    if (sent === undefined || told.has(nameOf(sent.value))) continue;
    const { kind, origin, senderId, conversationId, messageId } = sent.value;
    if (kind !== "USER" || origin === "IMPORT" || senderId === userId) continue;
    if (wasRead(userId, sent, known, sents)) continue;
    const since = missedSince(userId, versions, known, live);
    if (since !== undefined) missed.push({ conversationId, messageId, since, sent });
  }
  return missed.toSorted((left, right) => left.since - right.since || compare(left.sent, right.sent));
}
