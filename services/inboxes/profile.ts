import type { ProfileRow } from "../domain/inbox-rows.ts";
import type { User } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { keep } from "./missed.ts";
import { change, dropped, type Visit } from "./draft.ts";

const unknown: ProfileRow = { type: "profile", user: null, at: -Infinity, deletedAt: null, restoredAt: null };

/**
 * The user's profile is this from then on; one that comes late changes nothing but when they were back. Returns since
 * when a deleted user is there again, where that is another now.
 */
export const onProfile = (it: Visit, user: User, at: Millis): Millis | null => {
  const before = it.inbox.profile ?? unknown;
  const isBack = before.deletedAt !== null && at >= before.deletedAt;
  const restoredAt = isBack ? Math.min(before.restoredAt ?? at, at) : before.restoredAt;
  if (at >= before.at) become(it, { ...before, user, at, restoredAt });
  else if (restoredAt !== before.restoredAt) become(it, { ...before, restoredAt });
  return restoredAt !== before.restoredAt ? restoredAt : null;
};

/** The user is deleted: what they have missed is missed by nobody. */
export const onDeleted = (it: Visit, at: Millis): void => {
  const { open, attended, threads } = it.inbox;
  become(it, { type: "profile", user: null, at, deletedAt: at, restoredAt: null });
  const concerned = new Set(open);
  for (const conversation of attended.keys()) {
    const thread = threads.get(conversation);
    if (thread !== undefined) concerned.add(thread);
  }
  for (const thread of concerned)
    dropped(
      it,
      thread,
      keep(thread, ({ since }) => since >= at),
      { reason: "user_deleted", facts: {} },
    );
};

const become = (it: Visit, profile: ProfileRow): void => {
  const { inbox } = it;
  const { profile: before, unsaved } = inbox;
  inbox.profile = profile;
  it.isChanged = unsaved.profile = true;
  // Of whom nothing else is known has no standing.
  if (inbox.asOf >= 0) change(it);
  const isSame = before?.user?.role === profile.user?.role && before?.user?.timezone === profile.user?.timezone;
  if (isSame) return;
  it.isStirred = true;
  it.settings = null;
};

/** Whether the user has not been deleted since then; never having had a profile is fine. */
export const wasThere = (profile: ProfileRow | null, since: Millis): boolean =>
  profile === null || profile.deletedAt === null || (profile.restoredAt !== null && since >= profile.restoredAt);
