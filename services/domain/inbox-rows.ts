import type { UserId } from "./ids.ts";
import type { User } from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** The row of `inboxes` that others look up: who someone is. */
export interface ProfileRow {
  readonly type: "profile";
  /** The latest profile; null where the user was deleted: their latest record is a tombstone. */
  readonly user: User | null;
  /** The time of the latest record. */
  readonly at: Millis;
  /** When the user was last deleted, and since when they are back: what was missed before is so no more. */
  readonly deletedAt: Millis | null;
  readonly restoredAt: Millis | null;
}

/** What others look up of the row of `inboxes` that is a user's side of a conversation. */
export interface ReadPosition {
  /** Every message up to this time is read; left out: none is. */
  readonly readUntil?: Millis | undefined;
}

/** Reason of a CANDIDATE entry that takes the place of what was said of the message before: a late record told otherwise. */
export const ANEW = "anew";

const SEPARATOR = "\u001f"; // unit separator: ids don't hold it, and if one does the length before it tells them apart

/** Key of a row of `inboxes`: its kind, its user, and what it is about. */
export const inboxRowKey = (kind: "u" | "o" | "t", user: UserId, about = ""): string =>
  `${kind}${SEPARATOR}${user.length}${SEPARATOR}${user}${SEPARATOR}${about}`;

/** Row key of a user's profile. */
export const profileKey = (user: UserId): string => inboxRowKey("u", user);

/** Whose row has the key. */
export const userOfRow = (key: string): UserId => {
  const [kind = "", length = ""] = key.split(SEPARATOR, 2);
  const start = kind.length + length.length + 2 * SEPARATOR.length;
  return key.slice(start, start + Number(length));
};
