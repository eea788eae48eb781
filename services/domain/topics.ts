import { DAY } from "../platform/contract/time.ts";

/** Bytes of a record on our own topics: a chat record at Kafka's default limit still fits with its place around it. */
export const MAX_RECORD = 2 * 1024 * 1024;

/** A topic of the log: the one place that says its name, key, shape and how long it is kept. */
export interface Topic {
  /** Its name on the broker, behind the configured prefix. Identity: renaming it loses its past. */
  readonly name: string;
  /** What the record's key is, in UTF-8; `none` where the producer names the partition. */
  readonly key: "conversationId" | "userId" | "role" | "none";
  /** File in `schemas/` with the Avro schema of its values, registered under `<name>-value`. */
  readonly schema: string;
  readonly cleanup: "compact" | "delete";
  /** Milliseconds a record is kept; -1 for ever. Nothing for compacted topics. */
  readonly retention?: number;
  /** Milliseconds in which compaction leaves every record in place, the superseded ones too. */
  readonly compactionLag?: number;
  /** `chat`: the chat product writes it, and may have created it with any number of partitions. */
  readonly owner: "chat" | "whileaway";
  readonly about: string;
}

const topic = (
  name: string,
  key: Topic["key"],
  schema: string,
  owner: Topic["owner"],
  kept: "compact" | number,
  about: string,
): Topic => ({
  name,
  key,
  schema,
  owner,
  about,
  ...(kept === "compact" ? { cleanup: "compact" } : { cleanup: "delete", retention: kept }),
});

const FOR_EVER = -1;

/**
 * What was decided goes by what held then: as long back, a rebuild sees every revision and decides the same as the
 * first time; what is older it sees as it is now.
 */
const REVISIONS_KEPT = 365 * DAY;

export const topics = {
  messages: topic("chat.messages", "conversationId", "message-event", "chat", FOR_EVER, "what happens to messages"),
  participants: topic("chat.participants", "conversationId", "participant-event", "chat", FOR_EVER, "who takes part"),
  conversations: topic("chat.conversations", "conversationId", "conversation", "chat", "compact", "what is talked in"),
  presence: topic("chat.presence", "userId", "presence-event", "chat", FOR_EVER, "who is there, and has read what"),
  users: topic("chat.users", "userId", "user", "chat", "compact", "profiles"),
  notifications: topic(
    "notification.events",
    "userId",
    "notification-event",
    "whileaway",
    FOR_EVER,
    "everything that happens to a notification",
  ),
  settings: {
    ...topic(
      "notification.settings",
      "role",
      "role-settings",
      "whileaway",
      "compact",
      "how the users of each role are told",
    ),
    compactionLag: REVISIONS_KEPT,
  },
  preferences: {
    ...topic(
      "notification.preferences",
      "userId",
      "preference",
      "whileaway",
      "compact",
      "what people have chosen about all their mail",
    ),
    compactionLag: REVISIONS_KEPT,
  },
  inbox: topic("whileaway.inbox", "none", "inbox-record", "whileaway", 7 * DAY, "messages by recipient: ids only"),
  conversationStrays: topic(
    "whileaway.conversations.strays",
    "none",
    "stray",
    "whileaway",
    7 * DAY,
    "records found on a partition that isn't their key's, on their way to the one that is",
  ),
  inboxStrays: topic("whileaway.inboxes.strays", "none", "stray", "whileaway", 7 * DAY, "the same, by user"),
  ledger: topic("whileaway.ledger", "none", "ledger-record", "whileaway", 30 * DAY, "why somebody was told, or wasn't"),
  deadLetters: topic(
    "whileaway.dead-letters",
    "none",
    "dead-letter",
    "whileaway",
    30 * DAY,
    "records nobody could read",
  ),
} as const satisfies Record<string, Topic>;

export type TopicId = keyof typeof topics;

export const topicIds = Object.keys(topics) as readonly TopicId[];

/** Topics whose records follow from those of the others: who folds everything anew writes them anew. */
export const derivedTopics: readonly TopicId[] = [
  "inbox",
  "conversationStrays",
  "inboxStrays",
  "notifications",
  "ledger",
  "deadLetters",
];

/** Records of equal time are taken in this order (semantics: "Time is the log's"). */
export const precedence: readonly TopicId[] = [
  "settings",
  "preferences",
  "users",
  "conversations",
  "participants",
  "presence",
  "messages",
  "inbox",
  "notifications",
];
