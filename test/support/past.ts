import fc from "fast-check";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { DAY, type Millis } from "../../services/platform/contract/time.ts";
import { LATENESS } from "../../services/domain/log-record.ts";
import { mixed } from "../oracle/arbitrary.ts";
import { type Line, user } from "../oracle/history.ts";
import type { Triggered } from "../oracle/judge.ts";
import { decided, recordOf } from "../oracle/run.ts";

/**
 * The day on which every history begins, each at its own time of day. It is long enough ago that every notification of
 * it is due: a history lasts for three days, and timers for another. It is recent enough that nothing is forgotten
 * meanwhile: messages are kept for 30 days, and a segment of a compacted topic is closed after a week.
 */
const BEGINNING: Millis = Math.floor(Date.now() / DAY) * DAY - 5 * DAY;

/** A history that shares topics and a database with others, but no id and no role. */
export interface History {
  readonly lines: readonly Line[];
}

/** Draws so many histories, the same for the same seed. */
export const histories = (count: number, seed: number): readonly History[] =>
  fc
    .sample(mixed, { seed, numRuns: count })
    .map((drawn, number) => ({ lines: apart(drawn.filter(isInTime), `${number}.`) }));

/**
 * Tells whether a record came in time. A later one no longer counts as of its own time, where that would need the whole past.
 */
const isInTime = ({ at, value }: Line): boolean => at - (value?.occurredAt ?? at) <= LATENESS;

/** Moves a history to the common day, under ids of its own. @param mark prefix of every id */
const apart = (drawn: readonly Line[], mark: string): readonly Line[] => {
  const start = drawn[0]?.at ?? 0;
  const later = BEGINNING - Math.floor(start / DAY) * DAY;
  const introduced = new Set(
    drawn.filter(({ topic, at }) => topic === "chat.users" && at === start).map(({ key }) => key),
  );
  const strangers = new Set(
    drawn
      .flatMap(({ value }) => (value !== null && "userId" in value ? [value.userId] : []))
      .filter((id) => !introduced.has(id)),
  );
  // A user without a role has the default role, which all histories share: every user gets a role of the history's own.
  return [...[...strangers].map((id) => user(start, id)), ...drawn].map((line) => moved(marked(line, mark), later));
};

/** A line under ids of its own. */
const marked = (line: Line, mark: string): Line => {
  const ownId = (id: string): string => `${mark}${id}`;
  const maybe = (id: string | null): string | null => (id === null ? null : ownId(id));
  const key = ownId(line.key);
  switch (line.topic) {
    case "chat.messages": {
      const { conversationId, messageId, senderId, mentions } = line.value;
      const ids = { conversationId: ownId(conversationId), messageId: ownId(messageId), senderId: maybe(senderId) };
      return { ...line, key, value: { ...line.value, ...ids, mentions: mentions.map(ownId) } };
    }
    case "chat.participants":
      return {
        ...line,
        key,
        value: { ...line.value, conversationId: ownId(line.value.conversationId), userId: ownId(line.value.userId) },
      };
    case "chat.presence":
      return {
        ...line,
        key,
        value: { ...line.value, conversationId: maybe(line.value.conversationId), userId: ownId(line.value.userId) },
      };
    case "chat.users":
      if (line.value === null) return { ...line, key };
      return {
        ...line,
        key,
        value: { ...line.value, userId: ownId(line.value.userId), role: ownId(line.value.role ?? "default") },
      };
    case "chat.conversations":
      if (line.value === null) return { ...line, key };
      return { ...line, key, value: { ...line.value, conversationId: ownId(line.value.conversationId) } };
    case "notification.settings":
      return { ...line, key };
  }
};

/** A line so much later. */
const moved = (line: Line, by: Millis): Line => {
  const at = line.at + by;
  if (line.value === null) return { ...line, at };
  const occurredAt = line.value.occurredAt + by;
  if (line.topic !== "chat.presence") return { ...line, at, value: { ...line.value, occurredAt } } as Line;
  const readUntil = line.value.readUntil === null ? null : line.value.readUntil + by;
  return { ...line, at, value: { ...line.value, occurredAt, readUntil } };
};

/** The records of all histories as one log, in the order of their timestamps and of each history. */
export const together = (all: readonly History[]): readonly NewRecord[] =>
  all
    .flatMap(({ lines }) => lines)
    .toSorted((a, b) => a.at - b.at)
    .map(recordOf)
    .map(({ topic, key, value, loggedAt }) => ({ topic, key, value, timestamp: loggedAt }) as NewRecord); // topic and value came together

/**
 * The rule's notifications for each history alone, in memory, by an instant after all of it. @param begins lines that
 * all have in common
 */
export const expected = (all: readonly History[], begins: readonly Line[], until: Millis): readonly Triggered[] =>
  all.flatMap(({ lines }) => decided([...begins, ...lines], until).told);

/** Notifications in a fixed order: messages of one time on several partitions have none. */
export const inShort = (told: readonly Triggered[]): readonly string[] =>
  told
    .map(({ userId, conversationId, messageIds, at }) =>
      JSON.stringify([userId, conversationId, at, messageIds.toSorted()]),
    )
    .toSorted();
