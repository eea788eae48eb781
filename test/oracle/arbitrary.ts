/** Random histories: people join, write, read, edit, leave and are deleted, in any order and at awkward times. */
import fc from "fast-check";

import { conversation, type Line, message, participant, presence, settings, user } from "./history.ts";
import { sessionTtl } from "./sessions.ts";
import {
  type Gap,
  lateness,
  type Profile,
  profile,
  type Settings,
  settingsValue,
  start,
  type Step,
  step,
  type What,
} from "./steps.ts";

/** The beginning of a history. */
interface World {
  readonly start: number;
  readonly users: number;
  readonly conversations: number;
  readonly profiles: readonly (Profile | null)[];
  readonly roles: { readonly default: Settings | null; readonly guest: Settings | null };
  /** Members at the beginning, by user and conversation, with their notify setting; null: no member. */
  readonly joined: readonly ("ALL" | "MENTIONS_ONLY" | null)[];
}

const world: fc.Arbitrary<World> = fc.record({
  start,
  users: fc.integer({ min: 2, max: 4 }),
  conversations: fc.integer({ min: 1, max: 3 }),
  profiles: fc.array(fc.option(profile, { freq: 2 }), { minLength: 4, maxLength: 4 }),
  roles: fc.record({
    default: fc.option(settingsValue, { freq: 3 }),
    guest: fc.option(settingsValue, { freq: 2 }),
  }),
  joined: fc.array(fc.constantFrom("ALL", "ALL", "ALL", "MENTIONS_ONLY", null), { minLength: 12, maxLength: 12 }),
});

/**
 * Milliseconds after the end of a history within which its last notifications are due: quiet hours and a day's cap end
 * by then.
 */
export const afterwards: number = 26 * 3_600_000;

const longest = 50;

/** A sent message, with the fields that later lines must agree with. */
interface Sent {
  readonly line: Line & { readonly topic: "chat.messages" };
  /** The message's own time, within the time of its record. */
  readonly time: number;
}

/** The history so far. */
interface Tale {
  readonly world: World;
  readonly isOrderly: boolean;
  readonly lines: Line[];
  readonly sent: Sent[];
  clock: number;
  readonly latest: Record<"message" | "sign" | "read", Latest>;
}

/** Time, user and conversation of the latest event of a kind. */
interface Latest {
  readonly time: number;
  readonly user: number;
  readonly conversation: number;
}

function userName(tale: Tale, number: number): string {
  return `u${number % tale.world.users}`;
}

function prologue(drawn: World): Line[] {
  const { start: at, users, conversations, profiles, roles, joined } = drawn;
  const people = Array.from({ length: users }, (_, number) => number);
  const rooms = Array.from({ length: conversations }, (_, number) => number);
  return [
    ...(["default", "guest"] as const).flatMap((role) => (roles[role] === null ? [] : settings(at, role, roles[role]))),
    ...people.flatMap((number) => {
      const known = profiles[number];
      return known === null || known === undefined ? [] : user(at, `u${number}`, known);
    }),
    ...rooms.flatMap((room) =>
      people.flatMap((person) => {
        const notify = joined[room * 4 + person];
        if (notify === null || notify === undefined) return [];
        return participant(at, "JOINED", `c${room}`, `u${person}`, { notify });
      }),
    ),
  ];
}

function spanOf(tale: Tale, span: Exclude<Gap, { from: "clock" }>["span"]): number {
  const { timeout = 300, settle = 10, cooldown = { first: 900 } } = tale.world.roles.default ?? {};
  const spans = { nothing: 0, ttl: sessionTtl, timeout: timeout * 1000, settle: settle * 1000 };
  return { ...spans, first: cooldown.first * 1000, burst: timeout * 1000 + 60_000 }[span];
}

/** Moves the clock, never back. A late line has a later time of the log only. */
function advance(tale: Tale, gap: Gap): void {
  const to = gap.from === "clock" ? tale.clock + gap.by : tale.latest[gap.from].time + spanOf(tale, gap.span) + gap.by;
  tale.clock = Math.max(tale.clock, to);
}

/** Puts a step on the user and the conversation of its boundary. */
function placed(tale: Tale, drawn: Step): Step {
  if (drawn.gap.from === "clock") return drawn;
  const { user: number, conversation: room } = tale.latest[drawn.gap.from];
  return { ...drawn, user: drawn.gap.from === "message" ? drawn.user : number, conversation: room };
}

/**
 * A message event. EDITED and DELETED repeat the fields of SENT and come after it in the log, though their own time may
 * be earlier.
 */
function messageLine(tale: Tale, drawn: Step, what: What & { kind: "sent" | "edited" | "deleted" }): Line {
  const { clock } = tale;
  const mentions = "mentions" in what ? [...new Set(what.mentions.map((number) => userName(tale, number)))] : [];
  if (what.kind === "sent") {
    const senderId = what.sender === null ? null : userName(tale, what.sender);
    const kind = what.system ? "SYSTEM" : "USER";
    const origin = what.imported ? "IMPORT" : "WEB";
    const room = `c${drawn.conversation % tale.world.conversations}`;
    const more = { kind, origin, senderId, mentions, occurredAt: clock + drawn.ahead } as const;
    const line = message(clock + drawn.late, "SENT", room, `m${tale.sent.length}`, more);
    if (line.topic === "chat.messages") tale.sent.push({ line, time: Math.min(line.value.occurredAt, line.at) });
    tale.latest.message = { time: clock, user: drawn.user, conversation: drawn.conversation };
    return line;
  }
  const type = what.kind === "edited" ? "EDITED" : "DELETED";
  const about = tale.sent.at(-1 - (what.message % (tale.sent.length + 1)));
  // Some events are about a message that nobody knows.
  if (about === undefined) return message(clock + drawn.late, type, "c0", "unknown", { mentions, occurredAt: clock });
  const { conversationId, messageId, kind, origin, senderId } = about.line.value;
  const before = what.kind === "edited" ? what.before : 0;
  const occurredAt = before > 0 ? about.time - before : Math.max(clock, about.time);
  const at = Math.max(clock + drawn.late, about.line.at, occurredAt);
  return message(at, type, conversationId, messageId, { kind, origin, senderId, mentions, occurredAt });
}

function presenceLine(tale: Tale, drawn: Step, what: What & { kind: "sign" | "offline" | "read" | "unread" }): Line {
  const { clock, latest } = tale;
  const at = clock + drawn.late;
  const userId = userName(tale, drawn.user);
  const conversationId = `c${drawn.conversation % tale.world.conversations}`;
  const occurredAt = clock + drawn.ahead;
  switch (what.kind) {
    case "sign": {
      latest.sign = { time: clock, user: drawn.user, conversation: drawn.conversation };
      const onScreen = what.onScreen ? conversationId : null;
      const more = { sessionId: `s${what.session}`, conversationId: onScreen, occurredAt };
      return presence(at, what.online ? "ONLINE" : "HEARTBEAT", userId, more);
    }
    case "offline":
      return presence(at, "OFFLINE", userId, { sessionId: `s${what.session}`, occurredAt });
    case "read": {
      latest.read = { time: clock, user: drawn.user, conversation: drawn.conversation };
      const readUntil = what.until === null ? null : latest.message.time + what.until;
      return presence(at, "READ", userId, { conversationId, readUntil, occurredAt });
    }
    case "unread":
      return presence(at, "MARKED_UNREAD", userId, { conversationId, occurredAt });
  }
}

function visit(tale: Tale, drawn: Step, what: What & { kind: "visit" }): readonly Line[] {
  const { clock } = tale;
  const userId = userName(tale, drawn.user);
  const sessionId = `s${what.session}`;
  const conversationId = `c${drawn.conversation % tale.world.conversations}`;
  tale.latest.sign = { time: clock, user: drawn.user, conversation: drawn.conversation };
  const end = clock + what.after;
  return [
    presence(clock + drawn.late, "ONLINE", userId, { sessionId, conversationId, occurredAt: clock }),
    // The steps that follow fill the time between.
    presence(end + drawn.late, what.last, userId, { sessionId, conversationId, occurredAt: end }),
  ];
}

/**
 * Repeats a line. A line whose own time was later than the log's is not repeated: the repeat would be another record.
 */
function again(tale: Tale, drawn: Step, number: number): readonly Line[] {
  const original = tale.lines[number % tale.lines.length];
  if (original === undefined || original.value === null || original.value.occurredAt > original.at) return [];
  // In an orderly history only a message, which changes nothing, is repeated after other lines.
  const repeated = tale.isOrderly && original.topic !== "chat.messages" ? tale.lines.at(-1)! : original;
  if (repeated.value === null || repeated.value.occurredAt > repeated.at) return [];
  return [{ ...repeated, at: Math.max(repeated.at, tale.clock + drawn.late) }];
}

function linesOf(tale: Tale, drawn: Step): readonly Line[] {
  const { what } = drawn;
  const { clock } = tale;
  const at = clock + drawn.late;
  const occurredAt = clock + drawn.ahead;
  const room = `c${drawn.conversation % tale.world.conversations}`;
  switch (what.kind) {
    case "sent":
    case "edited":
    case "deleted":
      return [messageLine(tale, drawn, what)];
    case "sign":
    case "offline":
    case "read":
    case "unread":
      return [presenceLine(tale, drawn, what)];
    case "visit":
      return visit(tale, drawn, what);
    case "participant": {
      const { type, access, notify } = what;
      return [participant(at, type, room, userName(tale, drawn.user), { access, notify, occurredAt })];
    }
    case "user":
      return [user(at, userName(tale, drawn.user), what.profile === null ? null : { ...what.profile, occurredAt })];
    case "conversation":
      return [conversation(at, room, what.deleted ? null : { occurredAt })];
    case "settings":
      return [settings(at, what.role, what.value === null ? null : { ...what.value, occurredAt })];
    case "again":
      return again(tale, drawn, what.line);
  }
}

/** Makes a history of drawn values, in the order of the log. */
function tell(drawn: World, steps: readonly Step[]): Line[] {
  const lines = prologue(drawn);
  const beginning = { time: drawn.start, user: 0, conversation: 0 };
  const latest = { message: beginning, sign: beginning, read: beginning };
  const isOrderly = steps.every((each) => each.late === 0);
  const tale: Tale = { world: drawn, isOrderly, lines, sent: [], clock: drawn.start, latest };
  for (const each of steps) {
    if (lines.length >= longest) break;
    advance(tale, each.gap);
    lines.push(...linesOf(tale, placed(tale, each)));
  }
  return lines.slice(0, longest).toSorted((left, right) => left.at - right.at);
}

function histories(late: fc.Arbitrary<number>): fc.Arbitrary<Line[]> {
  return fc
    .tuple(world, fc.array(step(late), { minLength: 5, maxLength: 40, size: "max" }))
    .map(([drawn, steps]) => tell(drawn, steps));
}

/** Histories whose records came to the log at their own times. */
export const orderly: fc.Arbitrary<Line[]> = histories(fc.constant(0));

/** Histories with records that are up to ten minutes late. */
export const late: fc.Arbitrary<Line[]> = histories(lateness);

/** Histories of both kinds. */
export const mixed: fc.Arbitrary<Line[]> = fc.oneof(orderly, late);
