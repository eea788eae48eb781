import type { ProfileRow } from "../core/inbox.ts";
import type { User } from "../core/records.ts";
import type { Millis } from "../core/time.ts";
import type { Draft } from "./draft.ts";
import { keep } from "./missed.ts";
import type { UserRow } from "./state.ts";

const unknown: ProfileRow = { type: "profile", user: null, at: -Infinity, deletedAt: null, restoredAt: null };

/**
 * The user's profile is this from then on; one that comes late changes nothing but when they were back. Returns since
 * when a deleted user is there again, where that is another now.
 */
export const onProfile = (user: Draft, profile: User, at: Millis): Millis | null => {
  const before = user.profile ?? unknown;
  const isBack = before.deletedAt !== null && at >= before.deletedAt;
  const restoredAt = isBack ? Math.min(before.restoredAt ?? at, at) : before.restoredAt;
  if (at >= before.at) user.profile = { ...before, user: profile, at, restoredAt };
  else if (restoredAt !== before.restoredAt) user.profile = { ...before, restoredAt };
  return restoredAt !== before.restoredAt ? restoredAt : null;
};

/** The user is deleted: what they have missed is missed by nobody. */
export const onDeleted = (user: Draft, at: Millis): void => {
  user.profile = { type: "profile", user: null, at, deletedAt: at, restoredAt: null };
  const missed = user.row.open.map(({ conversationId }) => conversationId);
  const open = new Set([...missed, ...Object.keys(user.row.attended)]);
  user.expect(open);
  for (const conversation of open)
    user.changeThread(conversation, (thread) => keep(thread, ({ since }) => since >= at), {
      reason: "user_deleted",
      facts: {},
    });
};

/** Whether the user has not been deleted since then; never having had a profile is fine. */
export const wasThere = ({ deletedAt, restoredAt }: UserRow, since: Millis): boolean =>
  deletedAt === null || (restoredAt !== null && since >= restoredAt);
