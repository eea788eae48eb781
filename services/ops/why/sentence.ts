import type { MessageId } from "../../domain/ids.ts";
import type { LedgerEntry } from "../../domain/records.ts";
import type { Millis } from "../../platform/contract/time.ts";
import { count, reasonInWords } from "./reasons.ts";

/** Puts a verdict into a sentence, with times in UTC. */
export const sentenceOf = (entry: LedgerEntry): string => {
  const { verdict, reason, conversationId, messageIds, notificationId, until } = entry;
  const why = reason === null ? "" : `: ${reasonInWords(reason)}`;
  const where = conversationId === null ? "" : ` in ${conversationId}`;
  const what = messageIds.length === 0 ? `what was missed${where}` : `${named(messageIds)}${where}`;
  const [is, it] = messageIds.length > 1 ? ["are", "were"] : ["is", "was"];
  const facts = factsOf(entry);
  switch (verdict) {
    case "CANDIDATE":
      return `${what} ${it} missed${entry.facts["since"] === undefined ? AFTER_ALL : ""}${why}${facts}`;
    case "REJECTED":
      return `${what} ${it} not for them${why}${facts}`;
    case "HELD":
      return `held${where}${why}${until === null ? "" : `, until ${stamp(until, entry.occurredAt)}`}${facts}`;
    case "DROPPED":
      return `${what} ${is} not missed any more${why}${facts}`;
    case "TRIGGERED":
      return `told: notification ${notificationId} about ${count(messageIds.length)}${where}${facts}`;
    case "SUPPRESSED":
      return `no mail goes for notification ${notificationId}${why}${facts}`;
  }
};

/** Mark of a candidate that isn't new: one taken for attended before its session lapsed, for example. */
const AFTER_ALL = " after all";

/** Limit of ids named in a sentence. The others are counted. */
const MAX_NAMED = 5;

const named = (ids: readonly MessageId[]): string => {
  const shown = ids.slice(0, MAX_NAMED).join(", ");
  return ids.length > MAX_NAMED ? `${shown} and ${ids.length - MAX_NAMED} more` : shown;
};

/** Labels of facts. Other facts are shown under their own names. */
const FACTS: Readonly<Record<string, string>> = {
  since: "since",
  first: "the first missed at",
  last: "the latest at",
  awaySince: "away since",
  readUntil: "read up to",
  timeout: "timeout",
  settle: "settle",
  toldAt: "told last at",
  quietHours: "quiet hours",
  dailyCap: "at most",
  due: "due at",
};

/** Lists the facts of a verdict, without those that the sentence implies. */
const factsOf = (entry: LedgerEntry): string => {
  const { facts, occurredAt } = entry;
  const shown = (value: string): string => (/^-?\d+$/.test(value) ? stamp(Number(value), occurredAt) : value);
  const said = Object.entries(facts).flatMap(([name, value]) => {
    const label = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
    if (label === undefined) return [`${name} ${value}`];
    return isPlain(entry, name, shown(value), shown) ? [] : [`${label} ${shown(value)}`];
  });
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
};

/** Tells if the sentence's time, another fact or the reason implies a fact. */
const isPlain = (
  { facts, occurredAt, reason }: LedgerEntry,
  name: string,
  value: string,
  shown: (value: string) => string,
): boolean => {
  switch (name) {
    case "since":
      return value === clock(occurredAt);
    case "last":
      return facts["first"] !== undefined && value === shown(facts["first"]);
    case "awaySince":
      return reason === "online"; // the time is that of an earlier absence
    default:
      return false;
  }
};

/** Returns the day of a time, in UTC. */
export const dayOf = (at: Millis): string => new Date(at).toISOString().slice(0, 10);

/** Returns the time of day, in UTC. */
export const clock = (at: Millis): string => new Date(at).toISOString().slice(11, 19);

/** Returns the time of day, with the day if the sentence has another day. */
const stamp = (at: Millis, beside: Millis): string =>
  dayOf(at) === dayOf(beside) ? clock(at) : `${dayOf(at)} ${clock(at)}`;
