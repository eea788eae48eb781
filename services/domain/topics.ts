import { DAY } from "../platform/contract/time.ts";
import { declarationOf, type Product, type Topic } from "../platform/contract/topic.ts";

const declare = (
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

/** Partitions of new topics, unless an operator says another number. It limits how many processes share the work. */
export const DEFAULT_PARTITIONS = 6;

/**
 * Time for which every revision of a compacted topic is kept. A rebuild decides by the revision that held then; for
 * decisions older than this it only has the latest one.
 */
const REVISIONS_KEPT = 365 * DAY;

export const topics = {
  messages: declare(
    "chat.messages",
    "conversationId",
    "message-event",
    "external",
    FOR_EVER,
    "messages sent, edited and deleted",
  ),
  participants: declare(
    "chat.participants",
    "conversationId",
    "participant-event",
    "external",
    FOR_EVER,
    "participants of conversations",
  ),
  conversations: declare(
    "chat.conversations",
    "conversationId",
    "conversation",
    "external",
    "compact",
    "descriptions of conversations",
  ),
  presence: declare("chat.presence", "userId", "presence-event", "external", FOR_EVER, "signs of sessions, and reads"),
  users: declare("chat.users", "userId", "user", "external", "compact", "profiles"),
  notifications: declare(
    "notification.events",
    "userId",
    "notification-event",
    "own",
    FOR_EVER,
    "events of notifications",
  ),
  settings: {
    ...declare(
      "notification.settings",
      "role",
      "role-settings",
      "own",
      "compact",
      "notification settings of each role",
    ),
    compactionLag: REVISIONS_KEPT,
  },
  preferences: {
    ...declare(
      "notification.preferences",
      "userId",
      "preference",
      "own",
      "compact",
      "choices of people about all their mail",
    ),
    compactionLag: REVISIONS_KEPT,
  },
  inbox: declare("whileaway.inbox", "none", "inbox-record", "own", 7 * DAY, "entries for inboxes, ids only"),
  conversationStrays: declare(
    "whileaway.conversations.strays",
    "none",
    "stray",
    "own",
    7 * DAY,
    "records of `conversations` found outside their key's partition, on the way to it",
  ),
  inboxStrays: declare(
    "whileaway.inboxes.strays",
    "none",
    "stray",
    "own",
    7 * DAY,
    "records of `inboxes` found outside their key's partition, on the way to it",
  ),
  ledger: declare(
    "whileaway.ledger",
    "none",
    "ledger-record",
    "own",
    30 * DAY,
    "verdicts: reasons for notifying a user or not",
  ),
  deadLetters: declare(
    "whileaway.dead-letters",
    "none",
    "dead-letter",
    "own",
    30 * DAY,
    "records that no processor could fold",
  ),
} as const satisfies Record<string, Topic>;

export type TopicId = keyof typeof topics;

export const topicIds = Object.keys(topics) as readonly TopicId[];

/** Finds a topic by its name on a broker, without the prefix. */
export const topicNamed = (name: string): TopicId | undefined => topicIds.find((id) => topics[id].name === name);

/** Topics whose records follow from those of other topics. A rebuild writes them anew. */
export const derivedTopics: readonly TopicId[] = [
  "inbox",
  "conversationStrays",
  "inboxStrays",
  "notifications",
  "ledger",
  "deadLetters",
];

/** Tells whether a topic's records follow from those of other topics. */
export const isDerived = (id: string): boolean => (derivedTopics as readonly string[]).includes(id);

/** Returns the declaration of a topic. */
export const declared = (id: string): Topic => declarationOf({ topics }, id);

/** Records of equal time are folded in this order (services/inboxes/README.md, "Time is the log's"). */
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

/** The product as the platform sees it. */
export const product = {
  topics,
  precedence,
  derived: derivedTopics,
  deadLetters: "deadLetters",
  counters: { candidates: "Recipients who may have missed a message" },
} as const satisfies Product;
