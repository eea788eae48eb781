import type { NewRecord } from "../../../services/domain/log-record.ts";
import { type Millis, SECOND } from "../../../services/platform/contract/time.ts";
import type { Cast, Person, Room } from "./cast.ts";
import { type Random, random } from "./random.ts";

/** Milliseconds between two ticks. Events happen on ticks alone, so that timers, half-way between, meet none. */
export const TICK: Millis = 2 * SECOND;
/** Ticks between two signs of life of a session: well within its lapse. */
const SIGN_EVERY = 8;
/** Chances in a tick: that a person comes, that one who is there goes, and that one writes. */
const COMES = 0.12;
const GOES = 0.12;
const WRITES = 0.3;
/** Chance that a person who goes sends no OFFLINE: their session lapses. */
const VANISHES = 0.2;
const MENTIONS = 0.15;

const words =
  "shall we ship it today the tests are green I moved the meeting who has the numbers looks good to me let us ask the others I will bring cake please review my draft that lemma is false the graph is connected one more thing after lunch see the attached sketch the deadline moved by a week thanks for the proof what a lovely result could you take my shift".split(
    " ",
  );

interface Visit {
  readonly person: Person;
  readonly room: Room;
  readonly session: string;
  readonly since: number;
}

/** A small chat without end. */
export interface Script {
  /** Records of the people, the conversations and their participants. */
  opening(at: Millis): readonly NewRecord[];
  /** Records of the next tick. */
  tick(at: Millis): readonly NewRecord[];
  /** Records by which everybody leaves. */
  closing(at: Millis): readonly NewRecord[];
}

/** The same cast and seed tell the same story. */
export const script = ({ people, rooms }: Cast, seed: number): Script => {
  const dice = random(seed);
  const there = new Map<string, Visit>();
  let ticks = 0;
  let messages = 0;

  const comes = (person: Person, at: Millis): readonly NewRecord[] => {
    const room = dice.pick(rooms.filter(({ members }) => members.some(({ id }) => id === person.id)));
    const visit = { person, room, session: `${person.id}-${ticks}`, since: ticks };
    there.set(person.id, visit);
    return [sign("ONLINE", visit, at), read(visit, at)];
  };

  const writes = ({ person, room }: Visit, at: Millis): NewRecord => {
    const messageId = `${seed}-${at}-${++messages}`;
    const others = room.members.filter(({ id }) => id !== person.id);
    const mentions = dice.chance(MENTIONS) ? [dice.pick(others).id] : [];
    const text = sentence(
      dice,
      mentions.map((id) => people.find((one) => one.id === id)?.name ?? id),
    );
    return message(room, person, messageId, text, mentions, at);
  };

  return {
    opening: (at) => [...people.map((person) => profile(person, at)), ...rooms.flatMap((room) => described(room, at))],
    tick(at) {
      ticks++;
      const said: NewRecord[] = [];
      for (const person of people) {
        const visit = there.get(person.id);
        if (visit === undefined) {
          if (dice.chance(COMES)) said.push(...comes(person, at));
          continue;
        }
        if (dice.chance(GOES)) {
          there.delete(person.id);
          if (!dice.chance(VANISHES)) said.push(sign("OFFLINE", visit, at));
          continue;
        }
        if ((ticks - visit.since) % SIGN_EVERY === 0) said.push(sign("HEARTBEAT", visit, at));
        const mayWrite = visit.room.members.some(({ id, access }) => id === person.id && access === "READ_WRITE");
        if (mayWrite && dice.chance(WRITES)) said.push(writes(visit, at));
      }
      return said;
    },
    closing(at) {
      const left = [...there.values()].map((visit) => sign("OFFLINE", visit, at));
      there.clear();
      return left;
    },
  };
};

const sentence = (dice: Random, names: readonly string[]): string => {
  const from = dice.below(words.length - 12);
  const said = words.slice(from, from + 4 + dice.below(8)).join(" ");
  const text = `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
  return names.length === 0 ? text : `@${names.join(" @")} ${text}`;
};

const profile = ({ id, name, emails, locale, timezone }: Person, occurredAt: Millis): NewRecord => ({
  topic: "users",
  key: id,
  value: { userId: id, name, emails, role: null, locale, timezone, photoUrl: null, custom: {}, occurredAt },
});

const described = ({ id, subject, members }: Room, occurredAt: Millis): readonly NewRecord[] => [
  {
    topic: "conversations",
    key: id,
    value: { conversationId: id, subject: subject || null, photoUrl: null, custom: {}, occurredAt },
  },
  ...members.map(({ id: userId, access, notify }): NewRecord => ({
    topic: "participants",
    key: id,
    value: { type: "JOINED", conversationId: id, userId, access, notify, occurredAt },
  })),
];

const sign = (
  type: "ONLINE" | "HEARTBEAT" | "OFFLINE",
  { person, room, session }: Visit,
  occurredAt: Millis,
): NewRecord => ({
  topic: "presence",
  key: person.id,
  value: {
    type,
    userId: person.id,
    sessionId: session,
    conversationId: type === "OFFLINE" ? null : room.id,
    readUntil: null,
    occurredAt,
  },
});

const read = ({ person, room }: Visit, occurredAt: Millis): NewRecord => ({
  topic: "presence",
  key: person.id,
  value: { type: "READ", userId: person.id, sessionId: "", conversationId: room.id, readUntil: null, occurredAt },
});

const message = (
  room: Room,
  person: Person,
  messageId: string,
  text: string,
  mentions: readonly string[],
  occurredAt: Millis,
): NewRecord => ({
  topic: "messages",
  key: room.id,
  value: {
    type: "SENT",
    conversationId: room.id,
    messageId,
    kind: "USER",
    senderId: person.id,
    text,
    attachments: [],
    mentions,
    referencedMessageId: null,
    origin: "WEB",
    custom: {},
    occurredAt,
  },
});
