import type { NewRecord } from "../../domain/log-record.ts";
import { type Millis, SECOND } from "../../platform/contract/time.ts";
import { priorityQueue } from "../../platform/contract/priority-queue.ts";
import type { TraceRow } from "./trace.ts";

/** A user comes LEAD before the first message of a stay, and goes LINGER after the last. */
const LEAD: Millis = 2 * SECOND;
const LINGER: Millis = 5 * SECOND;
/** Longest gap between two messages of one stay. It is shorter than a session's lapse. */
const STAY: Millis = 20 * SECOND;

const FILLER = "the quick brown fox jumps over the lazy dog ";

/** Makes up a text of a length. */
const textOf = (length: number): string => FILLER.repeat(Math.ceil(length / FILLER.length)).slice(0, length);

const conversationOf = ({ room, topic }: TraceRow): string => (topic === "" ? room : `${room}/${topic}`);

/** Keeps one string for equal texts. Names repeat, and lookups of the same string are faster. */
const interned = (): ((text: string) => string) => {
  const known = new Map<string, string>();
  return (text) => {
    const same = known.get(text);
    if (same === undefined) known.set(text, text);
    return same ?? text;
  };
};

/** Records of a recorded chat, in the order of their times. Each is returned once no earlier one can follow. */
export interface Script {
  /** Takes the next row of the recording, and returns the records that are ready. */
  take(row: TraceRow): readonly NewRecord[];
  /** Returns the remaining records, after the last row. */
  end(): readonly NewRecord[];
}

interface Stay {
  readonly session: string;
  readonly last: Millis;
}

/**
 * Turns a recorded chat into records, in the order of their times. A conversation is a room's topic. A user who writes in
 * one for the first time joins it, and has a profile by then. A user is online from shortly before a message until shortly
 * after, and reads the conversation when writing. These rules alone make up the facts that the recording lacks.
 * @param timeOf maps a time of the recording to the time of the record
 */
export const traceScript = (timeOf: (at: Millis) => Millis): Script => {
  const said = priorityQueue<NewRecord>();
  const join = joins(said);
  const { leaveBefore, come } = attendance(said);
  const nameOf = interned();
  let number = 0;

  const until = (at: Millis): readonly NewRecord[] => {
    const ready: NewRecord[] = [];
    while (said.next() < at) {
      const one = said.take();
      if (one !== undefined) ready.push(one);
    }
    return ready;
  };

  return {
    take(row) {
      const at = timeOf(row.at);
      const conversation = nameOf(conversationOf(row));
      const user = nameOf(row.user);
      number++;
      leaveBefore(at - STAY);
      const members = join(user, conversation, at - LEAD);
      come(user, conversation, at, number);
      said.put(at, presence("READ", user, "", conversation, at));
      said.put(
        at,
        message({ ...row, user }, number, conversation, row.isForEveryone ? [...members] : row.mentions, at),
      );
      return until(at - STAY + LINGER); // users who left before that have their OFFLINE records already
    },
    end() {
      leaveBefore(Infinity);
      return until(Infinity);
    },
  };
};

type Said = ReturnType<typeof priorityQueue<NewRecord>>;

/** Returns a function that lets a user join a conversation, and returns the conversation's members. */
const joins = (said: Said) => {
  const known = new Set<string>();
  const members = new Map<string, Set<string>>();
  return (user: string, conversation: string, at: Millis): ReadonlySet<string> => {
    if (!known.has(user)) said.put(at, profile(user, at));
    known.add(user);
    const joined = members.get(conversation) ?? new Set();
    if (joined.size === 0) said.put(at, described(conversation, at));
    members.set(conversation, joined);
    if (!joined.has(user)) said.put(at, joining(conversation, user, at));
    return joined.add(user);
  };
};

/** Lets users come and go. */
const attendance = (said: Said) => {
  /** Users online, in the order of their latest messages. */
  const stays = new Map<string, Stay>();
  const go = (user: string, { session, last }: Stay): void =>
    said.put(last + LINGER, presence("OFFLINE", user, session, null, last + LINGER));
  return {
    leaveBefore(at: Millis): void {
      for (const [user, stay] of stays) {
        if (stay.last >= at) return;
        go(user, stay);
        stays.delete(user);
      }
    },
    come(user: string, conversation: string, at: Millis, number: number): void {
      const stay = stays.get(user);
      const session = stay?.session ?? `${user}-${number}`;
      const [type, from] = stay === undefined ? (["ONLINE", at - LEAD] as const) : (["HEARTBEAT", at] as const);
      said.put(from, presence(type, user, session, conversation, from));
      stays.delete(user);
      stays.set(user, { session, last: at });
    },
  };
};

const profile = (userId: string, occurredAt: Millis): NewRecord => ({
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

const described = (conversationId: string, occurredAt: Millis): NewRecord => ({
  topic: "conversations",
  key: conversationId,
  value: { conversationId, subject: `Topic ${conversationId}`, photoUrl: null, custom: {}, occurredAt },
});

const joining = (conversationId: string, userId: string, occurredAt: Millis): NewRecord => ({
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
): NewRecord => ({
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
): NewRecord => ({
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
