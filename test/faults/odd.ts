import type { NewRecord } from "../../services/domain/log-record.ts";
import { MAX_ID_LENGTH } from "../../services/platform/contract/identity.ts";
import type { MessageEvent, User } from "../../services/domain/records.ts";
import { conversation, message, participant, presence, user } from "../support/chat.ts";

/** Unusual but valid input of a chat. */
export interface Odd {
  readonly what: string;
  readonly reader: string;
  /** Tells whether the reader gets a mail about it; otherwise the input must only do no harm. */
  readonly isTold: boolean;
  readonly said: readonly NewRecord[];
}

const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_none, index) => make(index));

/** Ids with a special meaning in JavaScript or in a database. */
const IDS = [
  "__proto__",
  "constructor",
  "toString",
  "'; drop table jobs; --",
  "a/b?c=d&e#f%00 %2e%2e/",
  "\u001f1\u001f\u001e\u001e",
  "\u202eada\u0001\u007f\ufeff",
  "\u{1f47e}".repeat(MAX_ID_LENGTH / 2),
  "語".repeat(MAX_ID_LENGTH),
] as const;

/** Text that PostgreSQL's text and jsonb refuse. */
const NASTY = `a\0b \ud800 \udfff \u0001\u001b[31m \u202e </script><b> {{ 7 | x }} {% raw %} \r\n.\r\nQUIT\r\n`;
/** Times before computers, and times beyond the range of a date. Messages from before 1970 count as read. */
const TIMES = [-1, -(2 ** 52), 2 ** 52] as const;
/** Half a megabyte in one piece, and half a megabyte in a hundred thousand pieces. */
const LONG = "long ".repeat(100_000);
const PARTS = 100_000;

/** All odd inputs, each in a conversation of its own. */
export const odd = (): readonly Odd[] => {
  const now = { occurredAt: Date.now() };
  let number = 0;
  const one = (what: string, more: Partial<MessageEvent>, who: Partial<User> = {}): Odd => {
    const [reader, room] = [`odd-${number}`, `odd-room-${number++}`];
    const emails = [...(who.emails ?? []), `${reader}@example.org`];
    return {
      what,
      reader,
      isTold: (more.occurredAt ?? 0) >= 0,
      said: [
        user(reader, "0:00", { ...now, ...who, emails }),
        participant(room, reader, "0:00", { occurredAt: more.occurredAt ?? now.occurredAt }),
        message(room, "odd-writer", "m", "0:00", { ...now, ...more }),
      ],
    };
  };
  const called = (id: string, index: number): Odd => ({
    what: `called ${id.slice(0, 30)}`,
    reader: id,
    isTold: true,
    said: [
      user(id, "0:00", { ...now, emails: [`odd-id-${index}@example.org`], role: id }),
      presence(id, "OFFLINE", "0:00", { ...now, sessionId: id, conversationId: id }),
      conversation(id, "0:00", now),
      participant(id, id, "0:00", now),
      participant(id, "odd-writer", "0:00", now),
      participant(id, "odd-writer", "0:00", { type: "LEFT", ...now }),
      message(id, "odd-writer", id, "0:00", { ...now, mentions: [id], referencedMessageId: id }),
    ],
  });
  const custom = Object.fromEntries([
    ["__proto__", "x"],
    ["constructor", "y"],
    ...many(PARTS / 2, (index) => [`${index}`, ""]),
  ]) as Record<string, string>;
  const attachment = { name: "", url: "", mimeType: "", size: -1 };
  return [
    ...IDS.map(called),
    one("text that a database refuses", { text: NASTY, referencedMessageId: "a\0b" }),
    one(
      "a name that a database refuses",
      {},
      { name: NASTY, role: "a\0b", locale: "\0", timezone: "\0", photoUrl: "\0" },
    ),
    one("a long text", { text: LONG }),
    one(
      "long names",
      {},
      Object.fromEntries(["name", "role", "locale", "timezone"].map((name) => [name, LONG.slice(0, 200_000)])),
    ),
    one("many empty mentions", { mentions: many(PARTS * 5, () => "") }),
    one("many mentions", { mentions: many(PARTS, (index) => `u${index}`) }),
    one("many attachments", { attachments: many(PARTS, () => attachment) }),
    one("many custom values", { custom }, { custom: Object.fromEntries(Object.entries(custom).slice(0, PARTS / 4)) }),
    one("many empty addresses", {}, { emails: many(PARTS * 5, () => "") }),
    one(
      "addresses that are none",
      {},
      { emails: [NASTY, `${LONG.replaceAll(" ", "")}@example.org`, "a@b\0c", "@", "<>@x, y@example.org"] },
    ),
    ...TIMES.map((occurredAt) => one(`a time of ${occurredAt}`, { occurredAt })),
    ...TIMES.map((size) => one(`a size of ${size}`, { attachments: [{ ...attachment, url: "https://x/", size }] })),
  ];
};
