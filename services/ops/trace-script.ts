import { type Millis, SECOND } from "../core/time.ts";
import type { Said } from "../runtime/producer.ts";
import type { TraceRow } from "./trace.ts";

/** Someone comes so long before what they write first, and goes so long after what they write last. */
const LEAD: Millis = 2 * SECOND;
const LINGER: Millis = 5 * SECOND;
/** Messages no further apart belong to one stay: below a session's lapse. */
const STAY: Millis = 20 * SECOND;

const FILLER = "the quick brown fox jumps over the lazy dog ";

/** Text of a length, made up. */
const textOf = (length: number): string => FILLER.repeat(Math.ceil(length / FILLER.length)).slice(0, length);

const conversationOf = ({ room, topic }: TraceRow): string => (topic === "" ? room : `${room}/${topic}`);

/**
 * A recorded chat as records in the order of their times: a conversation is a room's topic; who writes in one for the
 * first time joins it (and has a profile by then); who writes is there from shortly before until shortly after, and
 * reads what they answer. What the recording doesn't have is made up by that and no other rule.
 * @param timeOf when something of the recording's time is to happen
 */
export const traceScript = (rows: readonly TraceRow[], timeOf: (at: Millis) => Millis): readonly Said[] => {
  const said: (readonly [Millis, Said])[] = [];
  const joined = new Set<string>();
  const members = new Map<string, string[]>();
  const stays = new Map<string, { session: string; last: Millis }>();

  const put = (at: Millis, record: Said): void => void said.push([at, record]);
  const go = (user: string, { session, last }: { session: string; last: Millis }): void =>
    put(last + LINGER, presence("OFFLINE", user, session, null, last + LINGER));

  rows.forEach((row, index) => {
    const at = timeOf(row.at);
    const conversation = conversationOf(row);
    if (!joined.has(row.user)) put(at - LEAD, profile(row.user, at - LEAD));
    joined.add(row.user);
    const of = members.get(conversation) ?? [];
    if (of.length === 0) put(at - LEAD, described(conversation, at - LEAD));
    members.set(conversation, of);
    if (!of.includes(row.user)) {
      of.push(row.user);
      put(at - LEAD, join(conversation, row.user, at - LEAD));
    }
    const stay = stays.get(row.user);
    if (stay === undefined || at - stay.last > STAY) {
      if (stay !== undefined) go(row.user, stay);
      const session = `${row.user}-${index}`;
      stays.set(row.user, { session, last: at });
      put(at - LEAD, presence("ONLINE", row.user, session, conversation, at - LEAD));
    } else {
      stay.last = at;
      put(at, presence("HEARTBEAT", row.user, stay.session, conversation, at));
    }
    put(at, presence("READ", row.user, "", conversation, at));
    put(at, message(row, index + 1, conversation, row.isForEveryone ? [...of] : row.mentions, at));
  });
  for (const [user, stay] of stays) go(user, stay);
  return said.toSorted(([a], [b]) => a - b).map(([, record]) => record);
};

const profile = (userId: string, occurredAt: Millis): Said => ({
  topic: "users",
  key: userId,
  value: {
    userId,
    name: `Person ${userId}`,
    emails: [`${userId}@example.org`],
    role: null,
    locale: null,
    timezone: null,
    photoUrl: null,
    custom: {},
    occurredAt,
  },
});

const described = (conversationId: string, occurredAt: Millis): Said => ({
  topic: "conversations",
  key: conversationId,
  value: { conversationId, subject: `Topic ${conversationId}`, photoUrl: null, custom: {}, occurredAt },
});

const join = (conversationId: string, userId: string, occurredAt: Millis): Said => ({
  topic: "participants",
  key: conversationId,
  value: { type: "JOINED", conversationId, userId, access: "READ_WRITE", notify: "ALL", occurredAt },
});

const presence = (
  type: "ONLINE" | "HEARTBEAT" | "OFFLINE" | "READ",
  userId: string,
  sessionId: string,
  conversationId: string | null,
  occurredAt: Millis,
): Said => ({
  topic: "presence",
  key: userId,
  value: { type, userId, sessionId, conversationId, readUntil: null, occurredAt },
});

const message = (
  row: TraceRow,
  number: number,
  conversationId: string,
  mentions: readonly string[],
  occurredAt: Millis,
): Said => ({
  topic: "messages",
  key: conversationId,
  value: {
    type: "SENT",
    conversationId,
    messageId: `m${number}`,
    kind: "USER",
    senderId: row.user,
    text: textOf(row.length),
    attachments: [],
    mentions,
    referencedMessageId: row.replyTo === null ? null : `m${row.replyTo}`,
    origin: "WEB",
    custom: {},
    occurredAt,
  },
});
