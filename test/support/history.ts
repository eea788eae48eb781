import fc from "fast-check";
import type { NewRecord } from "../../services/domain/log-record.ts";
import { type Millis, MINUTE, SECOND } from "../../services/platform/contract/time.ts";
import { conversation, message, participant, presence, user } from "./chat.ts";
import type { Mishap, Turn } from "./chaos.ts";

/**
 * Random small histories of a chat. The records of one moment are on one topic: records of one time on several topics
 * have no fixed order, unless they come in one batch.
 */
export interface Moment {
  /** Milliseconds after the moment before. */
  readonly gap: Millis;
  /** Records a millisecond apart. */
  readonly said: readonly Draw[];
}

type Draw =
  | {
      readonly topic: "messages";
      readonly in: string;
      readonly by: string;
      readonly id: string;
      readonly type: "SENT" | "EDITED" | "DELETED";
      readonly mentions: readonly string[];
    }
  | {
      readonly topic: "presence";
      readonly of: string;
      readonly type: "ONLINE" | "HEARTBEAT" | "OFFLINE" | "READ";
      readonly session: string;
      readonly in: string | null;
      readonly until: Millis | null;
    }
  | {
      readonly topic: "participants";
      readonly in: string;
      readonly of: string;
      readonly type: "JOINED" | "UPDATED" | "LEFT";
      readonly access: "READ_WRITE" | "NONE";
      readonly notify: "ALL" | "MENTIONS_ONLY" | "NONE";
    }
  | { readonly topic: "users" | "conversations"; readonly of: string; readonly isDeleted: boolean };

const PEOPLE = ["ada", "bob", "eve"] as const;
const ROOMS = ["c", "d"] as const;
const person = fc.constantFrom(...PEOPLE);
const room = fc.constantFrom(...ROOMS);
const often = <T>(value: T, weight: number) => ({ arbitrary: fc.constant(value), weight });

const messages = fc.record({
  topic: fc.constant("messages" as const),
  in: room,
  by: person,
  id: fc.constantFrom("m1", "m2", "m3", "m4", "m5", "m6"),
  type: fc.oneof(often("SENT" as const, 5), often("EDITED" as const, 2), often("DELETED" as const, 1)),
  mentions: fc.subarray([...PEOPLE]),
});
const presences = fc.record({
  topic: fc.constant("presence" as const),
  of: person,
  type: fc.oneof(
    often("ONLINE" as const, 2),
    often("HEARTBEAT" as const, 2),
    often("OFFLINE" as const, 2),
    often("READ" as const, 1),
  ),
  session: fc.constantFrom("tab", "phone"),
  in: fc.constantFrom(...ROOMS, null),
  until: fc.constantFrom(null, -MINUTE, 0),
});
const participants = fc.record({
  topic: fc.constant("participants" as const),
  in: room,
  of: person,
  type: fc.constantFrom("JOINED", "UPDATED", "LEFT"),
  access: fc.oneof(often("READ_WRITE" as const, 4), often("NONE" as const, 1)),
  notify: fc.oneof(often("ALL" as const, 3), often("MENTIONS_ONLY" as const, 2), often("NONE" as const, 1)),
});
const others = (topic: "users" | "conversations") =>
  fc.record({
    topic: fc.constant(topic),
    of: topic === "users" ? person : room,
    isDeleted: fc.boolean(),
  });

const some = <T>(draw: fc.Arbitrary<T>, maxLength: number) => fc.array(draw, { minLength: 1, maxLength });
const said: fc.Arbitrary<readonly Draw[]> = fc.oneof(
  { arbitrary: some(messages, 6), weight: 5 },
  { arbitrary: some(presences, 4), weight: 4 },
  { arbitrary: some(participants, 3), weight: 1 },
  { arbitrary: some(others("users"), 2), weight: 1 },
  { arbitrary: some(others("conversations"), 2), weight: 1 },
);
const gap = fc.constantFrom(
  SECOND,
  10 * SECOND,
  44 * SECOND,
  45 * SECOND,
  46 * SECOND,
  2 * MINUTE,
  5 * MINUTE,
  60 * MINUTE,
);

export const history: fc.Arbitrary<readonly Moment[]> = fc.array(fc.record({ gap, said }), {
  minLength: 1,
  maxLength: 12,
});

const MISHAPS = [
  "commitFails",
  "commitIsLost",
  "publishFails",
  "publishIsLost",
  "markIsLost",
  "echo",
  "crash",
  "cutOff",
  "join",
] as const satisfies readonly Mishap[];
/** Turns of a history. Steps after them go without mishaps. */
const TURNS = 150;

/**
 * Turns whose processes come from a seed, and whose mishaps are drawn one by one: a failure shrinks to the mishaps that
 * matter.
 */
export const turns: fc.Arbitrary<readonly Turn[]> = fc
  .record({
    seed: fc.integer({ min: 1 }),
    mishaps: fc.array(fc.record({ turn: fc.nat(TURNS - 1), mishap: fc.constantFrom(...MISHAPS, "join") }), {
      maxLength: 40,
      size: "max",
    }),
  })
  .map(({ seed, mishaps }) => {
    const draw = random(seed);
    const wrong = new Map(mishaps.map(({ turn, mishap }) => [turn, mishap]));
    return Array.from({ length: TURNS }, (_none, turn): Turn => ({
      process: draw(4),
      part: draw(3) as Turn["part"],
      take: 1 + draw(3),
      mishap: wrong.get(turn) ?? null,
    }));
  });

/** Draws numbers below a limit, the same for the same seed (xorshift). */
const random = (seed: number) => {
  let state = seed | 0 || 1;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

/** Records by which everybody joins every room. */
export const beginning = (time: Millis): readonly NewRecord[] =>
  ROOMS.flatMap((id) =>
    PEOPLE.map((name) =>
      stamped({ topic: "participants", in: id, of: name, type: "JOINED", access: "READ_WRITE", notify: "ALL" }, time),
    ),
  );

export const recordsOf = (moment: Moment, time: Millis): readonly NewRecord[] =>
  moment.said.map((draw, index) => stamped(draw, time + index));

const stamped = (draw: Draw, time: Millis): NewRecord => {
  const more = { occurredAt: time };
  switch (draw.topic) {
    case "messages":
      return {
        ...message(draw.in, draw.by, draw.id, "0:0", {
          type: draw.type,
          mentions: draw.mentions,
          text: `${draw.type} ${time}`,
          ...more,
        }),
        timestamp: time,
      };
    case "presence": {
      const readUntil = draw.until === null ? null : time + draw.until;
      return {
        ...presence(draw.of, draw.type, "0:0", {
          sessionId: draw.session,
          conversationId: draw.in,
          readUntil,
          ...more,
        }),
        timestamp: time,
      };
    }
    case "participants": {
      const { access, notify, type } = draw;
      return { ...participant(draw.in, draw.of, "0:0", { type, access, notify, ...more }), timestamp: time };
    }
    case "users":
      return draw.isDeleted
        ? { topic: "users", key: draw.of, value: null, timestamp: time }
        : { ...user(draw.of, "0:0", { name: `${draw.of} ${time}`, ...more }), timestamp: time };
    case "conversations":
      return draw.isDeleted
        ? { topic: "conversations", key: draw.of, value: null, timestamp: time }
        : { ...conversation(draw.of, "0:0", { subject: `${draw.of} ${time}`, ...more }), timestamp: time };
  }
};

/** The time at which each user first read, or lost, each message, by "user conversation message". */
export const goneAt = (moments: readonly Moment[], start: Millis): ReadonlyMap<string, Millis> => {
  const sent = new Map<string, Millis>();
  const gone = new Map<string, Millis>();
  let time = start;
  const note = (who: string, name: string): void => void gone.set(`${who} ${name}`, gone.get(`${who} ${name}`) ?? time);
  const read = (who: string, where: string, until: Millis): void => {
    for (const [name, at] of sent) if (name.startsWith(`${where} `) && at <= until) note(who, name);
  };
  const fold = (draw: Draw): void => {
    if (draw.topic === "presence" && draw.type === "READ" && draw.in !== null)
      read(draw.of, draw.in, time + Math.min(draw.until ?? 0, 0));
    if (draw.topic !== "messages") return;
    const name = `${draw.in} ${draw.id}`;
    if (draw.type === "DELETED" && sent.has(name)) for (const who of PEOPLE) note(who, name);
    if (draw.type !== "SENT" || sent.has(name)) return;
    sent.set(name, time);
    read(draw.by, draw.in, time - 1);
  };
  for (const moment of moments) {
    time += moment.gap;
    for (const draw of moment.said) {
      fold(draw);
      time++;
    }
  }
  return gone;
};
