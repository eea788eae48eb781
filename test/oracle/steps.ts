/** The parts of a random history: the world, and its events step by step. */
import fc from "fast-check";

import type { SettingsValue } from "./history.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Milliseconds after the step before, or after the record that the step refers to. */
export type Gap =
  | { readonly from: "clock"; readonly by: number }
  /**
   * A boundary that a clock may just miss: a span after the latest message, sign or read, for the same user and
   * conversation.
   */
  | {
      readonly from: "message" | "sign" | "read";
      readonly span: "nothing" | "ttl" | "timeout" | "settle" | "first" | "burst";
      readonly by: number;
    };

/** Users, conversations and messages are drawn as numbers, taken modulo their count. */
export type What =
  | {
      readonly kind: "sent";
      readonly sender: number | null;
      readonly mentions: readonly number[];
      readonly system: boolean;
      readonly imported: boolean;
    }
  | {
      readonly kind: "edited";
      readonly message: number;
      readonly mentions: readonly number[];
      readonly before: number;
    }
  | { readonly kind: "deleted"; readonly message: number }
  | { readonly kind: "sign"; readonly online: boolean; readonly session: number; readonly onScreen: boolean }
  /** A sign with the conversation on screen, and the next record when the session is just about to lapse. */
  | { readonly kind: "visit"; readonly session: number; readonly last: "HEARTBEAT" | "OFFLINE"; readonly after: number }
  | { readonly kind: "offline"; readonly session: number }
  | { readonly kind: "read"; readonly until: number | null }
  | { readonly kind: "unread" }
  | {
      readonly kind: "participant";
      readonly type: "JOINED" | "UPDATED" | "LEFT";
      readonly access: "READ_WRITE" | "READ" | "NONE";
      readonly notify: "ALL" | "MENTIONS_ONLY" | "NONE";
    }
  | { readonly kind: "user"; readonly profile: Profile | null }
  | { readonly kind: "conversation"; readonly deleted: boolean }
  | { readonly kind: "settings"; readonly role: "default" | "guest"; readonly value: Settings | null }
  | { readonly kind: "again"; readonly line: number };

/** The fields of a profile that matter. */
export interface Profile {
  readonly role: string | null;
  readonly timezone: string | null;
}

/** Settings without the time of their revision. */
export type Settings = Omit<SettingsValue, "occurredAt">;

/** An event. */
export interface Step {
  readonly gap: Gap;
  readonly user: number;
  readonly conversation: number;
  readonly what: What;
  /** Milliseconds by which the log's time is later. */
  readonly late: number;
  /** Milliseconds by which the record's own time is ahead of the log's: a clock that is ahead. */
  readonly ahead: number;
}

const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];

/** The instants of 2026 at which the clocks of those zones are put forward or back. */
const switches = [
  "2026-03-29T01:00Z",
  "2026-10-25T01:00Z",
  "2026-03-08T07:00Z",
  "2026-11-01T06:00Z",
  "2026-04-04T15:00Z",
  "2026-10-03T15:30Z",
].map((time) => Date.parse(time));
const ordinary = ["2026-06-10T09:00Z", "2026-06-10T21:55Z", "2026-01-14T23:58Z", "2026-07-01T03:50Z"].map((time) =>
  Date.parse(time),
);

/** The start of a history: on an ordinary day, or shortly before the clocks change. */
export const start: fc.Arbitrary<number> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...ordinary) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...switches), fc.constantFrom(minute, 6 * minute, hour, 3 * hour, 12 * hour))
      .map(([time, before]) => time - before),
  },
);

const quietHours = fc.record({
  hours: fc.constantFrom<readonly [string, string]>(
    ["22:00", "07:00"],
    ["23:30", "02:30"],
    ["00:00", "06:00"],
    ["02:00", "03:00"],
    ["01:30", "02:15"],
    ["09:00", "09:10"],
    ["12:00", "00:00"],
  ),
  timezone: fc.option(fc.constantFrom(...zones)),
});

/** A role's settings: short times, so that their ends meet events. */
export const settingsValue: fc.Arbitrary<Settings> = fc.record(
  {
    timeout: fc.constantFrom(0, 1, 30, 45, 60, 300),
    settle: fc.constantFrom(0, 5, 10, 60),
    cooldown: fc.record({
      first: fc.constantFrom(0, 30, 60, 900),
      factor: fc.constantFrom(1, 2, 10),
      max: fc.constantFrom(60, 600, 86_400),
    }),
    whileOnline: fc.constantFrom("hold", "hold", "notify"),
    group: fc.constantFrom("conversation", "conversation", "recipient"),
    quietHours: fc.option(
      quietHours.map(({ hours: [from, to], timezone }) => ({ from, to, timezone })),
      { freq: 2 },
    ),
    dailyCap: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 2 }),
  },
  { requiredKeys: [] },
);

/** A user's role and time zone. */
export const profile: fc.Arbitrary<Profile> = fc.record({
  role: fc.constantFrom(null, null, "default", "guest", "nobody"),
  timezone: fc.constantFrom(null, ...zones),
});

const instants = [0, 0, 1, second, 3 * second, 10 * second, 30 * second, 44 * second, 45 * second, 46 * second].concat([
  90 * second,
  5 * minute,
  10 * minute,
  hour,
  8 * hour,
]);
const nearby = fc.constantFrom(0, 0, 0, -1, 1);
const gap: fc.Arbitrary<Gap> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      from: fc.constant("clock" as const),
      by: fc.constantFrom(...instants),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      from: fc.constantFrom("message", "sign", "read"),
      span: fc.constantFrom("nothing", "ttl", "ttl", "timeout", "settle", "first", "burst"),
      by: nearby,
    }),
  },
);

// Counted from the latest back: a message is changed soon after it was sent.
const place = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 11 }) });
const mentions = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.uniqueArray(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }) },
);
const rarely = (times: number): fc.Arbitrary<boolean> => fc.nat({ max: times }).map((number) => number === times);

/** Milliseconds that an edit's own time is before the message, by a clock that is behind; 0: it is not. */
const before = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 10 * second) },
);

const said = fc.record({
  kind: fc.constant("sent" as const),
  sender: fc.oneof({ weight: 12, arbitrary: fc.nat({ max: 3 }) }, { weight: 1, arbitrary: fc.constant(null) }),
  mentions,
  system: rarely(14),
  imported: rarely(14),
});
const session = fc.constantFrom(0, 0, 0, 1);
const states = {
  access: fc.constantFrom("READ_WRITE", "READ_WRITE", "READ", "NONE"),
  notify: fc.constantFrom("ALL", "ALL", "MENTIONS_ONLY", "MENTIONS_ONLY", "NONE"),
} as const;

const what: fc.Arbitrary<What> = fc.oneof(
  { weight: 16, arbitrary: said },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("edited" as const), message: place, mentions, before }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deleted" as const), message: place }) },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant("sign" as const),
      online: fc.boolean(),
      session,
      onScreen: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("offline" as const), session }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("visit" as const),
      session,
      last: fc.constantFrom("HEARTBEAT", "OFFLINE"),
      after: fc.constantFrom(10 * second, 45 * second, 45 * second, 45 * second + 1, 46 * second),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      until: fc.option(fc.constantFrom(0, 0, 1, -1, -minute, 10 * second, hour), { freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "unread" as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("participant" as const),
      type: fc.constantFrom("JOINED", "UPDATED", "UPDATED", "LEFT"),
      ...states,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("user" as const), profile: fc.option(profile, { freq: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("conversation" as const), deleted: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("settings" as const),
      role: fc.constantFrom("default", "guest"),
      value: fc.option(settingsValue, { freq: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("again" as const), line: fc.nat({ max: 49 }) }) },
);

/** An event. The log has it at once, or with `lateness` that much later. */
export function step(lateness: fc.Arbitrary<number>): fc.Arbitrary<Step> {
  return fc.record({
    gap,
    user: fc.nat({ max: 3 }),
    conversation: fc.nat({ max: 2 }),
    what,
    late: lateness,
    ahead: fc.oneof(
      { weight: 20, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(1, second, hour) },
    ),
  });
}

/** Milliseconds until the log has a record, at most ten minutes. */
export const lateness: fc.Arbitrary<number> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(1, second, 10 * second, 44 * second, 45 * second, minute, 5 * minute, 10 * minute),
  },
);
