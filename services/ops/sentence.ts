import type { MessageId } from "../domain/ids.ts";
import type { LedgerEntry } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { count, reasonInWords } from "./reasons.ts";

/** A verdict as a sentence; times within it are UTC. */
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

/** Behind a candidate that isn't new: it was taken for attended, say, and a session has lapsed. */
const AFTER_ALL = " after all";

/** Ids that a sentence names; what is more is counted. */
const MAX_NAMED = 5;

const named = (ids: readonly MessageId[]): string => {
  const shown = ids.slice(0, MAX_NAMED).join(", ");
  return ids.length > MAX_NAMED ? `${shown} and ${ids.length - MAX_NAMED} more` : shown;
};

/** What facts are called; others are shown under their own names. */
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

/** What it was decided from; what goes without saying is left out. */
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

/** Whether a fact goes without saying: by the time of the sentence, by another fact or by the reason. */
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
      return reason === "online"; // it is since when they were the last time
    default:
      return false;
  }
};

/** The day of a time, in UTC. */
export const dayOf = (at: Millis): string => new Date(at).toISOString().slice(0, 10);

/** The time of day, in UTC. */
export const clock = (at: Millis): string => new Date(at).toISOString().slice(11, 19);

/** The time of day, with the day where it is another than the sentence's. */
const stamp = (at: Millis, beside: Millis): string =>
  dayOf(at) === dayOf(beside) ? clock(at) : `${dayOf(at)} ${clock(at)}`;
