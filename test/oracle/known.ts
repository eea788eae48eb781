/** The records known at an instant, in the order in which they count. */
import type {
  ConversationValue,
  Line,
  MessageValue,
  ParticipantValue,
  PresenceValue,
  SettingsValue,
  UserValue,
} from "./history.ts";

/** A record with its place in the order: by `time`, then by `rank` of its topic, then by `offset`. */
export interface Fact<Value> {
  readonly value: Value;
  readonly key: string;
  /** The instant from which it is known. */
  readonly at: number;
  /** The instant from which it counts. */
  readonly time: number;
  readonly rank: number;
  readonly offset: number;
}

/** The records that may matter to one user, each list in order. */
export interface Facts {
  readonly settings: readonly Fact<SettingsValue | null>[];
  readonly users: readonly Fact<UserValue | null>[];
  readonly conversations: readonly Fact<ConversationValue | null>[];
  readonly participants: readonly Fact<ParticipantValue>[];
  readonly presence: readonly Fact<PresenceValue>[];
  readonly messages: readonly Fact<MessageValue>[];
}

/** The records known at an instant. */
export interface Known extends Omit<Facts, "conversations" | "participants"> {
  /** By conversation. */
  readonly conversations: ReadonlyMap<string, Facts["conversations"]>;
  readonly participants: ReadonlyMap<string, Facts["participants"]>;
}

// Preferences decide about mail, not about notifications: no line of a history has them.
const order: readonly Line["topic"][] = [
  "notification.settings",
  "chat.users",
  "chat.conversations",
  "chat.participants",
  "chat.presence",
  "chat.messages",
];

/** Compares facts in the order in which they count. */
export function compare(left: Fact<unknown>, right: Fact<unknown>): number {
  return left.time - right.time || left.rank - right.rank || left.offset - right.offset;
}

function fact(line: Line, offset: number): Fact<Line["value"]> {
  // A time later than the record's Kafka timestamp counts as that timestamp. A tombstone has no other time.
  const time = line.value === null ? line.at : Math.min(line.value.occurredAt, line.at);
  return { value: line.value, key: line.key, at: line.at, time, rank: order.indexOf(line.topic), offset };
}

/** The records of a history that may matter to a user. */
export function concerning(lines: readonly Line[], userId: string): Facts {
  const facts = lines.map((line, offset) => ({ line, fact: fact(line, offset) }));
  const factsOf = <Value>(topic: Line["topic"], mine: (line: Line) => boolean): readonly Fact<Value>[] =>
    facts
      .filter(({ line }) => line.topic === topic && mine(line))
      .map((each) => each.fact as Fact<Value>)
      .toSorted(compare);
  const all = (): boolean => true;
  return {
    settings: factsOf("notification.settings", all),
    users: factsOf("chat.users", (line) => line.key === userId),
    conversations: factsOf("chat.conversations", all),
    participants: factsOf("chat.participants", ({ value }) => (value as ParticipantValue).userId === userId),
    presence: factsOf("chat.presence", (line) => line.key === userId),
    messages: factsOf("chat.messages", all),
  };
}
