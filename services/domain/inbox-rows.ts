import type { Deletion } from "./deletion.ts";
import type { UserId } from "./ids.ts";
import type { User } from "./records.ts";
import type { Millis } from "../platform/contract/time.ts";

/** A user's profile: a row of `inboxes` that other processors look up. */
export interface ProfileRow extends Deletion {
  readonly type: "profile";
  /** The latest profile; null where the user is deleted. */
  readonly user: User | null;
  /** Time of the latest record. */
  readonly at: Millis;
}

/** The part of a thread's row of `inboxes` that other processors look up. */
export interface ReadPosition {
  /** Every message up to this time is read; absent: none is. */
  readonly readUntil?: Millis | undefined;
}

/**
 * Reason of a CANDIDATE entry that replaces the earlier entries of its message, because a late record has changed them.
 */
export const ANEW = "anew";

const SEPARATOR = "\u001f"; // unit separator: the length before an id keeps keys apart even if the id contains it

/** Row key of `inboxes`: kind of row, user, and for a thread its conversation. */
export const inboxRowKey = (kind: "u" | "o" | "t", user: UserId, about = ""): string =>
  `${kind}${SEPARATOR}${user.length}${SEPARATOR}${user}${SEPARATOR}${about}`;

/** Row key of a user's profile. */
export const profileKey = (user: UserId): string => inboxRowKey("u", user);

/** Reads the user from a row key. */
export const userOfRow = (key: string): UserId => {
  const [kind = "", length = ""] = key.split(SEPARATOR, 2);
  const start = kind.length + length.length + 2 * SEPARATOR.length;
  return key.slice(start, start + Number(length));
};
