import { inject } from "vitest";
import { SEQUENCE_HEADER, STREAM_HEADER } from "../../services/platform/contract/stream.ts";
import type { Stray } from "../../services/platform/contract/records.ts";
import type { InboxEntry, NotificationEvent, Values } from "../../services/domain/records.ts";
import { type TopicId, topics } from "../../services/domain/topics.ts";
import { avroType } from "../../services/platform/adapters/registry/avro.ts";
import { schemaOf } from "../../services/platform/adapters/registry/codec.ts";
import { openRegistry } from "../../services/platform/adapters/registry/registry.ts";
import { conversation, message, participant, presence, user } from "../support/chat.ts";
import { plain } from "../support/settings.ts";
import type { World } from "../support/world.ts";
import type { Raw } from "./raw.ts";

/** A record that a processor must refuse, and the reason. */
export interface Hostile extends Omit<Raw, "partition"> {
  readonly what: string;
  readonly reason: RegExp;
  /** Processors that refuse the record. None where it is only logged. */
  readonly by: readonly string[];
}

/** The processors that read each topic. */
const readers = {
  messages: ["conversations"],
  participants: ["conversations"],
  conversations: ["conversations"],
  conversationStrays: ["conversations"],
  presence: ["inboxes"],
  users: ["inboxes"],
  inbox: ["inboxes"],
  inboxStrays: ["inboxes"],
  notifications: ["mailer", "webhooks"],
  preferences: ["mailer"],
  settings: [],
} as const satisfies Partial<Record<TopicId, readonly string[]>>;

type Input = keyof typeof readers;

const now = { occurredAt: Date.now() };
const KEY = "hostile";

const entry = (more: Partial<InboxEntry>): InboxEntry => ({
  type: "CANDIDATE",
  conversationId: KEY,
  messageId: "m",
  senderId: "bob",
  sentAt: now.occurredAt,
  reason: null,
  recipients: [KEY],
  mentioned: [],
  since: null,
  loggedAt: now.occurredAt,
  ...now,
  ...more,
});

const notification = (more: Partial<NotificationEvent>): NotificationEvent => ({
  id: "hostile-event",
  type: "TRIGGERED",
  notificationId: "hostile-notification",
  userId: KEY,
  conversationId: "c",
  messageIds: [],
  channel: "EMAIL",
  email: null,
  reason: null,
  statusCode: null,
  diagnostic: null,
  url: null,
  agent: null,
  snapshot: null,
  ...now,
  ...more,
});

const stray = (more: Partial<Stray>): Stray => ({
  topic: "chat.users",
  partition: 0,
  offset: 0,
  timestamp: now.occurredAt,
  key: KEY,
  value: null,
  ...more,
});

/** A good value of each topic, to be spoilt. */
const samples: { readonly [T in Input]: Values[T] } = {
  messages: message(KEY, "bob", "m", "0:00", now).value,
  participants: participant(KEY, "ada", "0:00", now).value,
  conversations: conversation(KEY, "0:00", now).value,
  presence: presence(KEY, "HEARTBEAT", "0:00", now).value,
  users: user(KEY, "0:00", now).value,
  inbox: { entries: [entry({})] },
  conversationStrays: stray({}),
  inboxStrays: stray({}),
  notifications: notification({}),
  preferences: { userId: KEY, unsubscribed: [], ...now },
  settings: { ...plain, role: KEY, version: 1, ...now },
} as never;

const inputs = Object.keys(readers) as readonly Input[];
/** Topics whose values repeat their key. */
const keyed = ["messages", "participants", "conversations", "presence", "users", "preferences", "settings"] as const;
const isKeyed = (topic: Input): boolean => !["inbox", "conversationStrays", "inboxStrays"].includes(topic);

/** Records with spoilt bytes, on each topic that a service reads. */
export const spoiltBytes = ({ codec }: World): readonly Hostile[] =>
  inputs.flatMap((topic): readonly Hostile[] => {
    const good = Buffer.from(codec.encode(topic, samples[topic]));
    const other = topic === "users" ? "messages" : "users";
    const unknown = Buffer.from(good);
    unknown.writeUInt32BE(999_999, 1);
    const spoilt: readonly (readonly [string, Buffer, RegExp])[] = [
      ["garbage", Buffer.from("garbage \u0000\u00ff"), /Confluent's wire format/],
      ["nothing", Buffer.alloc(0), /Confluent's wire format/],
      ["a head alone", good.subarray(0, 4), /Confluent's wire format/],
      ["an unknown schema", unknown, /schema id 999999 is not in the registry/],
      ["a schema of another topic", Buffer.from(codec.encode(other, samples[other])), /can't be read as/],
      ["its end cut off", good.subarray(0, -1), /is not Avro/],
      ["something behind it", Buffer.concat([good, Buffer.of(0)]), /is not Avro/],
      ["ones", Buffer.concat([good.subarray(0, 5), Buffer.alloc(1_000, 0xff)]), /is not Avro/],
      ["a megabyte", Buffer.concat([good, Buffer.alloc(1_000_000)]), /is not Avro/],
    ];
    const more = { topic, key: isKeyed(topic) ? Buffer.from(KEY) : null, by: readers[topic] };
    return spoilt.map(([what, value, reason]) => ({ ...more, what: `${topic}: ${what}`, value, reason }));
  });

/** Records with invalid keys, on each topic that has keys. */
export const spoiltKeys = ({ codec }: World): readonly Hostile[] =>
  keyed.flatMap((topic): readonly Hostile[] => {
    const value = Buffer.from(codec.encode(topic, samples[topic]));
    const keys: readonly (readonly [string, Buffer | null, RegExp])[] = [
      ["no key", null, /is null/],
      ["an empty key", Buffer.alloc(0), /is empty/],
      ["a key that is no UTF-8", Buffer.of(0x63, 0xff), /is not UTF-8/],
      ["half a pair as a key", Buffer.of(0xed, 0xa0, 0x80), /is not UTF-8/],
      ["NUL in its key", Buffer.from(`${KEY}\0`), /contains a NUL character/],
      ["a key of 100 kB", Buffer.alloc(100_000, "k"), /is 100000 characters long/],
      ["another key", Buffer.from("another"), /its key is "another"/],
    ];
    const by = readers[topic];
    const all = [
      ...keys.map(([what, key, reason]) => ({ topic, what: `${topic}: ${what}`, key, value, reason, by })),
      { topic, what: `${topic}: a tombstone without a key`, key: null, value: null, reason: /is null/, by },
    ];
    return all.filter(({ key }) => key !== null || topics[topic].cleanup !== "compact"); // the broker refuses such records
  });

/** Ids and times that are valid Avro, and that no table can hold. */
export const spoiltFields = ({ codec }: World): readonly Hostile[] => {
  const said = <T extends Input>(topic: T, what: string, more: Partial<Values[T]>, reason: RegExp): Hostile => ({
    topic,
    what: `${topic}: ${what}`,
    key: isKeyed(topic) ? Buffer.from(KEY) : null,
    value: Buffer.from(codec.encode(topic, { ...samples[topic], ...more })),
    reason,
    by: readers[topic],
  });
  const [long, nul] = ["i".repeat(100_000), "a\0b"];
  return [
    said("messages", "a long id", { messageId: long }, /messageId is 100000/),
    said("messages", "NUL in its id", { messageId: nul }, /messageId contains a NUL/),
    said("messages", "NUL in its sender's id", { senderId: nul }, /senderId contains a NUL/),
    said("participants", "a long id", { userId: long }, /userId is 100000/),
    said("participants", "NUL in its id", { userId: nul }, /userId contains a NUL/),
    said("presence", "a long conversation", { conversationId: long }, /conversationId is 100000/),
    said("presence", "NUL in its conversation", { conversationId: nul }, /conversationId contains a NUL/),
    said("presence", "a long session", { sessionId: long }, /sessionId is 100000/),
    said("inbox", "a long recipient", { entries: [entry({ recipients: [long] })] }, /100000/),
    said("inbox", "NUL in its recipient", { entries: [entry({ recipients: [nul] })] }, /NUL/),
    said("inbox", "nobody", { entries: [entry({ recipients: [""] })] }, /empty/),
    said("inbox", "NUL in its conversation", { entries: [entry({ conversationId: nul })] }, /NUL/),
    said("conversationStrays", "a topic that isn't", { topic: "chat.nothing" }, /unknown topic chat.nothing/),
    said("inboxStrays", "a key of 100 kB", { key: long }, /100000/),
    said("inboxStrays", "garbage inside", { value: Buffer.of(1, 2, 3) }, /Confluent's wire format/),
  ];
};

/** Events of notifications that can't be saved or told. */
export const spoiltEvents = ({ codec }: World): readonly Hostile[] => {
  const event = (what: string, by: readonly string[], more: Partial<NotificationEvent>, reason: RegExp): Hostile => ({
    topic: "notifications",
    what,
    key: Buffer.from(KEY),
    value: Buffer.from(
      codec.encode("notifications", { ...samples.notifications, id: what.replaceAll(" ", "-"), ...more }),
    ),
    reason,
    by,
  });
  const [long, nul] = ["i".repeat(100_000), "a\0b"];
  return [
    event("NUL in the id of what was triggered", ["mailer"], { notificationId: nul }, /NUL/),
    event("a long id of what was triggered", ["mailer"], { notificationId: long }, /100000/),
    event("triggered with nothing to show", ["mailer"], {}, /without a snapshot/),
    event("NUL in its id", ["webhooks"], { type: "OPENED", id: nul }, /can't be a webhook-id/),
    event("a long id", ["webhooks"], { type: "OPENED", id: long }, /can't be a webhook-id/),
  ];
};

/** Values that grow when they are read: nested, compressed or counted. */
export const bombs = async (chat: World): Promise<readonly Hostile[]> => {
  const good = Buffer.from(chat.codec.encode("messages", samples.messages));
  const head = good.subarray(0, 5);
  const more = { topic: "messages", key: Buffer.from(KEY), by: readers.messages } as const;
  const own = JSON.parse(schemaOf(topics.messages)) as { readonly fields: readonly object[] };
  const nested = { type: "record", name: "Nested", fields: [{ name: "next", type: ["null", "Nested"] }] };
  const schema = { ...own, fields: [{ name: "next", type: ["null", nested] }, ...own.fields] };
  const { id } = await openRegistry(inject("registry")).register(`${chat.prefix}nested`, JSON.stringify(schema));
  const deep = Buffer.from(good);
  deep.writeUInt32BE(id, 1);
  const type = avroType(schemaOf(topics.messages));
  const before = type.toBuffer({ ...samples.messages, attachments: [] });
  // Two empty arrays follow the text: the count of the first is spoilt.
  const at = before.indexOf("text of m") + "text of m".length;
  const counted = (...count: readonly number[]): Buffer =>
    Buffer.concat([head, before.subarray(0, at), Buffer.from(count), before.subarray(at + 1)]);
  return [
    {
      ...more,
      what: "300,000 records, one in the other",
      value: Buffer.concat([deep.subarray(0, 5), Buffer.alloc(300_000, 2), Buffer.of(0), good.subarray(5)]),
      reason: /is not Avro/,
    },
    {
      ...more,
      what: "64 MB in 64 kB",
      value: Buffer.concat([good, Buffer.alloc(64 * 1024 * 1024)]),
      isCompressed: true,
      reason: /its value has 67\d+ bytes/,
    },
    {
      ...more,
      what: "an array of 2^62",
      value: counted(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01),
      reason: /is not Avro/,
    },
    { ...more, what: "an array of 2^31", value: counted(0x80, 0x80, 0x80, 0x80, 0x10), reason: /is not Avro/ },
    {
      ...more,
      what: "an array of -2^40",
      value: counted(0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0),
      reason: /is not Avro/,
    },
  ];
};

/** Records with invalid headers, and with imitations of our stream and sequence headers. */
export const spoiltHeaders = (): readonly Hostile[] => {
  const more = { topic: "messages", key: null, value: Buffer.from("garbage"), by: readers.messages } as const;
  const reason = /Confluent's wire format|is null/;
  return [
    { ...more, what: "a header twice", headers: { trace: ["a", "b"] }, reason },
    { ...more, what: "a header called __proto__", headers: { ["__proto__"]: "a" }, reason },
    { ...more, what: "our headers, empty", headers: { [STREAM_HEADER]: "", [SEQUENCE_HEADER]: "" }, reason },
    { ...more, what: "our header without its number", headers: { [STREAM_HEADER]: "x" }, reason },
    { ...more, what: "our header without its number, again", headers: { [STREAM_HEADER]: "x" }, reason },
    {
      ...more,
      what: "our headers with no number",
      headers: { [STREAM_HEADER]: "x", [SEQUENCE_HEADER]: "NaN" },
      reason,
    },
  ];
};
