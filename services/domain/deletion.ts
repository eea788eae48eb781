import type { Millis } from "../platform/contract/time.ts";

/** The part of a user's or a conversation's row that tells when it was deleted and when it came back. */
export interface Deletion {
  /** Time of the latest tombstone; null: it was never deleted. */
  readonly deletedAt: Millis | null;
  /** Time of the first record after that tombstone; null: it is still deleted, or never was. */
  readonly restoredAt: Millis | null;
}

/** Tells whether a row has not been deleted since a time. For a row that is back, that holds from its return on. */
export const isUndeletedSince = ({ deletedAt, restoredAt }: Deletion, since: Millis): boolean =>
  deletedAt === null || (restoredAt !== null && since >= restoredAt);

/** Computes `restoredAt` after a record that is no tombstone: the earliest such record after the deletion restores. */
export const restoredBy = ({ deletedAt, restoredAt }: Deletion, at: Millis): Millis | null =>
  deletedAt !== null && at >= deletedAt ? Math.min(restoredAt ?? at, at) : restoredAt;
